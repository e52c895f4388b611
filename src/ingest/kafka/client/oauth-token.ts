import { Customer360Error } from "../../../errors.ts";

/** Where tokens are to be had, and as whom. */
export interface ClientCredentials {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const DEADLINE_MS = 10_000;

/**
 * Gets access tokens by the client credentials grant (RFC 6749, 4.4). Each call asks for a new one. Rejects with
 * SOURCE_UNAVAILABLE; what the server answered is not repeated, for it may hold secrets.
 */
export function clientCredentials({ url, clientId, clientSecret }: ClientCredentials): () => Promise<string> {
  const encode = encodeURIComponent;
  const login = Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64");
  return async () => {
    const response = await ask(url, login);
    const answer: unknown = await response.json().catch(() => null);
    const token =
      typeof answer === "object" && answer !== null && "access_token" in answer && answer.access_token;
    if (response.ok && typeof token === "string") return token;
    throw new Customer360Error(
      "SOURCE_UNAVAILABLE",
      `no token from ${new URL(url).host}: it answered ${response.status}`,
    );
  };
}

async function ask(url: string, login: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { authorization: `Basic ${login}`, "content-type": "application/x-www-form-urlencoded" },
      body: "grant_type=client_credentials",
      redirect: "error",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (error) {
    throw new Customer360Error("SOURCE_UNAVAILABLE", `no token from ${new URL(url).host}`, { cause: error });
  }
}
