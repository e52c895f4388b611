/** How a client proves who it is to a broker. */
export type KafkaSasl =
  | {
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: string;
      readonly password: string;
    }
  /** Asked for a token whenever one is needed: on connecting, and again before the session ends. */
  | { readonly mechanism: "OAUTHBEARER"; readonly token: () => Promise<string> };

/** How a connection is encrypted. */
export interface KafkaTls {
  /** PEM of the authorities to trust; null for those of the system. */
  readonly ca: string | null;
  /** PEM of the client's certificate and key, for mutual TLS; null without. */
  readonly certificate: { readonly cert: string; readonly key: string; readonly passphrase?: string } | null;
}

/** How brokers are reached. Both null: PLAINTEXT. */
export interface KafkaSecurity {
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
}

/** What the client library takes. */
export interface ConnectionProof {
  readonly ssl?: {
    readonly rejectUnauthorized: true;
    readonly ca?: string[];
    readonly cert?: string;
    readonly key?: string;
    readonly passphrase?: string;
  };
  readonly sasl?:
    | { readonly mechanism: "plain"; readonly username: string; readonly password: string }
    | { readonly mechanism: "scram-sha-256"; readonly username: string; readonly password: string }
    | { readonly mechanism: "scram-sha-512"; readonly username: string; readonly password: string }
    | {
        readonly mechanism: "oauthbearer";
        readonly oauthBearerProvider: () => Promise<{ readonly value: string }>;
      };
}

/** PLAINTEXT: neither encrypted nor authenticated. */
export const PLAINTEXT: KafkaSecurity = { tls: null, sasl: null };

/** The settings of a connection as the client library wants them. A broker's certificate is always verified: there is no way around it. */
export function proofOf({ tls, sasl }: KafkaSecurity): ConnectionProof {
  return {
    ...(tls === null ? {} : { ssl: sslOf(tls) }),
    ...(sasl === null ? {} : { sasl: saslOf(sasl) }),
  };
}

function sslOf({ ca, certificate }: KafkaTls): NonNullable<ConnectionProof["ssl"]> {
  return {
    rejectUnauthorized: true,
    ...(ca === null ? {} : { ca: [ca] }),
    ...(certificate === null ? {} : certificate),
  };
}

function saslOf(sasl: KafkaSasl): NonNullable<ConnectionProof["sasl"]> {
  if (sasl.mechanism === "OAUTHBEARER") {
    const { token } = sasl;
    return { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const { username, password } = sasl;
  switch (sasl.mechanism) {
    case "PLAIN":
      return { mechanism: "plain", username, password };
    case "SCRAM-SHA-256":
      return { mechanism: "scram-sha-256", username, password };
    case "SCRAM-SHA-512":
      return { mechanism: "scram-sha-512", username, password };
  }
}
