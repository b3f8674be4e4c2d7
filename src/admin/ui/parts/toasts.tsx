import { Toast } from "@base-ui/react/toast";
import { Icon } from "./icon.tsx";

/** What became of a button, said where it is seen from everywhere. */
export function Toasts() {
  const { toasts } = Toast.useToastManager();
  return (
    <Toast.Portal>
      <Toast.Viewport className="toasts">
        {toasts.map((toast) => (
          <Toast.Root key={toast.id} toast={toast} className={`toast ${toast.type ?? ""}`}>
            <Toast.Content className="toast-content">
              <div>
                <Toast.Title className="toast-title" />
                <Toast.Description className="toast-text" />
              </div>
              <Toast.Close className="bare" aria-label="Close this message">
                <Icon name="close" />
              </Toast.Close>
            </Toast.Content>
          </Toast.Root>
        ))}
      </Toast.Viewport>
    </Toast.Portal>
  );
}
