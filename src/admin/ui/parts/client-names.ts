import { useQuery } from "@tanstack/react-query";
import { grants } from "../api/grants.ts";
import { me } from "../api/me.ts";

/** Clients by the names they gave themselves. Grants tell those of the person's own; of others only the id is known. */
export function useClientNames(): (clientId: string) => string {
  const { data: who } = useQuery(me);
  const { data } = useQuery({ ...grants, enabled: who?.kind === "person" });
  return (client) => data?.grants.find(({ clientId }) => clientId === client)?.client ?? client;
}
