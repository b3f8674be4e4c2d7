import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast } from "@base-ui/react/toast";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { client } from "./api/client.ts";
import { Toasts } from "./parts/toasts.tsx";
import { Shell } from "./shell.tsx";
import { applyTheme } from "./theme.ts";
import "./style/index.css";

applyTheme();

const root = document.querySelector("#root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={client}>
          <Toast.Provider>
            <Shell />
            <Toasts />
          </Toast.Provider>
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
}
