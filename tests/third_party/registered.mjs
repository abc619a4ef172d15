// The npm package openid-client registers itself with a key, pushes its request, gets its answer by a form, and hears of
// the end of the session.
import { once } from "node:events";
import { createServer } from "node:http";
import * as jose from "jose";
import * as client from "openid-client";
import { finish, leave, open, told } from "./conversation.mjs";

let tell;
const logoutToken = new Promise((resolve) => (tell = resolve));
const own = createServer(async (request, response) => {
  const body = String(Buffer.concat(await request.toArray()));
  response.end();
  tell(new URLSearchParams(body).get("logout_token"));
}).listen(0, "127.0.0.1");
await once(own, "listening");
const here = `http://127.0.0.1:${own.address().port}`;

const { privateKey, publicKey } = await jose.generateKeyPair("ES256");
const metadata = {
  client_name: "Yard board",
  redirect_uris: [`${here}/signed-in`],
  post_logout_redirect_uris: [`${here}/signed-out`],
  backchannel_logout_uri: "https://yard.example.com/ended",
  backchannel_logout_session_required: true,
  require_pushed_authorization_requests: true,
  grant_types: ["authorization_code", "refresh_token"],
  scope: told.scope,
  token_endpoint_auth_method: "private_key_jwt",
  jwks: { keys: [{ ...(await jose.exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" }] },
};
const configuration = await client.dynamicClientRegistration(
  new URL(told.issuer), metadata, client.PrivateKeyJwt({ key: privateKey, kid: "one" }),
  { initialAccessToken: told.initial_access_token, execute: [client.allowInsecureRequests] },
);
const { client_id } = configuration.clientMetadata();
// A host of the own network is an operator's to name.
const changed = await fetch(`${told.issuer}/admin/clients/${client_id}`, {
  method: "PATCH",
  headers: { authorization: `Bearer ${told.operator_token}`, "content-type": "application/json-patch+json" },
  body: JSON.stringify([{ op: "replace", path: "/backchannel_logout_uri", value: `${here}/ended` }]),
});
if (!changed.ok) throw new Error(await changed.text());

const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const address = await client.buildAuthorizationUrlWithPAR(configuration, {
  redirect_uri: metadata.redirect_uris[0],
  response_mode: "form_post",
  scope: told.scope,
  resource: told.audience,
  prompt: "login consent",
  max_age: "60",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const tokens = await client.authorizationCodeGrant(
  configuration, await open(address),
  { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 60 },
  { resource: told.audience },
);
const back = await leave(client.buildEndSessionUrl(configuration, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: metadata.post_logout_redirect_uris[0],
  state: "gone",
}));
const keys = jose.createRemoteJWKSet(new URL(configuration.serverMetadata().jwks_uri));
const checks = { issuer: told.issuer, audience: client_id, typ: "logout+jwt", requiredClaims: ["jti", "events"] };
const { payload } = await jose.jwtVerify(await logoutToken, keys, checks);
const audience = jose.decodeJwt(tokens.access_token).aud;
finish({ client_id, claims: tokens.claims(), audience, pushed: [...address.searchParams.keys()], back, here, payload });
