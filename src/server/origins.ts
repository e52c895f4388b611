import type { IncomingMessage } from "node:http";

/** Says which pages, and which names of this machine, requests may come from. */
export interface Doorkeeper {
  /** Why a request is turned away, in words for the client; null when it is let in. */
  refusal(request: IncomingMessage): string | null;
  /** The origin to allow in CORS headers; null for none. */
  allowedOrigin(request: IncomingMessage): string | null;
}

/**
 * Makes the check every transport shares. Pages of other origins get in only when listed. While the server listens on
 * loopback only, it answers to loopback names only: another page's own name, pointed at this machine, is then no way in.
 */
export function createDoorkeeper(options: {
  /** Origins such as `https://bank.example` that may use the API from a browser. */
  readonly origins: readonly string[];
  readonly loopbackOnly: () => boolean;
}): Doorkeeper {
  const listed = new Set(options.origins);
  return {
    refusal(request) {
      const { origin, host = "" } = request.headers;
      if (options.loopbackOnly() && !isLoopback(hostName(host))) {
        return `This server answers to loopback names only, not to ${JSON.stringify(host)}.`;
      }
      const site = request.headers["sec-fetch-site"];
      const foreign =
        origin === undefined ? site === "cross-site" : !listed.has(origin) && hostOf(origin) !== host;
      return foreign ? `Pages of ${origin ?? "other sites"} may not use this server.` : null;
    },
    allowedOrigin({ headers: { origin } }) {
      return origin !== undefined && listed.has(origin) ? origin : null;
    },
  };
}

/** True for the names and addresses of this machine alone. */
export function isLoopback(name: string): boolean {
  return (
    name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name)
  );
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

function hostName(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
}
