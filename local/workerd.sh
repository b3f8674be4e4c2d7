#!/bin/sh
# workerd does not notice when the process that started it is killed, and would keep the port. The kernel tells it.
exec setpriv --pdeathsig KILL "$WORKERD_BINARY" "$@"
