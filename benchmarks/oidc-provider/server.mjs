// The peer: oidc-provider with one static client, in memory, or with PGHOST in PostgreSQL. Its access tokens are JWTs, or
// with TOKENS=opaque opaque, since it introspects no others.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const { PORT: port, ALGORITHM: alg, TOKENS: accessTokenFormat = "jwt" } = process.env;
// As many keys as the demo publishes, the one that signs first.
const made = { ES256: ["ec", { namedCurve: "P-256" }], RS256: ["rsa", { modulusLength: 2048 }] };
const keys = [alg, alg, ...Object.keys(made).filter((each) => each !== alg).flatMap((each) => [each, each])].map(
  (each, number) => ({
    ...generateKeyPairSync(...made[each]).privateKey.export({ format: "jwk" }),
    alg: each,
    use: "sig",
    kid: `benchmark-${number}`,
  }),
);

const resource = "https://api.example.com/shipments";
const scopes = "openid offline_access shipments:read";
const redirectUri = "https://app.example.com/signed-in";
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "benchmark",
    client_secret: process.env.CLIENT_SECRET,
    grant_types: ["client_credentials", "authorization_code", "refresh_token"],
    redirect_uris: [redirectUri],
    response_types: ["code"],
    scope: scopes,
    ...(alg === "RS256" ? {} : { id_token_signed_response_alg: alg }),
  }],
  ...(process.env.PGHOST ? { adapter: (await import("./stored.mjs")).Stored } : {}),
  scopes: scopes.split(" "),
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AuthorizationCode: 3600 }, // as long as a run
  jwks: { keys },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "shipments:read",
        audience: resource,
        accessTokenFormat,
        accessTokenTTL: 3600,
        ...(accessTokenFormat === "jwt" ? { jwt: { sign: { alg } } } : {}),
      }),
    },
  },
});

// POST /codes/:challenge/:count answers with so many codes, each with a grant of its own, as if somebody had signed in and
// agreed: by the same models as the authorization endpoint, without its pages.
async function code(client, codeChallenge) {
  const mine = { accountId: "alice", clientId: client.clientId };
  const grant = new provider.Grant(mine);
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(resource, "shipments:read");
  return new provider.AuthorizationCode({
    ...mine,
    client,
    codeChallenge,
    codeChallengeMethod: "S256",
    redirectUri,
    resource,
    scope: scopes,
    nonce: "a nonce",
    authTime: Math.floor(Date.now() / 1000),
    grantId: await grant.save(),
  }).save();
}

provider.use(async (ctx, next) => {
  const [, asked, challenge, count] = ctx.path.split("/");
  if (asked !== "codes") return next();
  const client = await provider.Client.find("benchmark");
  ctx.body = (await Promise.all(Array.from({ length: Number(count) }, () => code(client, challenge)))).join("\n");
});
provider.listen(Number(port), "127.0.0.1");
