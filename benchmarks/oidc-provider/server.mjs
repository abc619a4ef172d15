// The peer: oidc-provider with one static client. JWT access tokens, and its memory adapter; with PGHOST opaque tokens in
// PostgreSQL, since it introspects no others.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, alg] = [Number(process.env.PORT), process.env.ALGORITHM];
const pair = alg === "RS256"
  ? generateKeyPairSync("rsa", { modulusLength: 2048 })
  : generateKeyPairSync("ec", { namedCurve: "P-256" });

const stored = Boolean(process.env.PGHOST);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "benchmark",
    client_secret: process.env.CLIENT_SECRET,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    scope: "shipments:read",
    ...(alg === "RS256" ? {} : { id_token_signed_response_alg: alg }),
  }],
  ...(stored ? { adapter: (await import("./stored.mjs")).Stored } : {}),
  scopes: ["openid", "shipments:read"],
  jwks: { keys: [{ ...pair.privateKey.export({ format: "jwk" }), alg, use: "sig", kid: "benchmark" }] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "https://api.example.com/shipments",
      getResourceServerInfo: () => ({
        scope: "shipments:read",
        audience: "https://api.example.com/shipments",
        accessTokenFormat: stored ? "opaque" : "jwt",
        accessTokenTTL: 3600,
        ...(stored ? {} : { jwt: { sign: { alg } } }),
      }),
    },
  },
});
provider.listen(port, "127.0.0.1");
