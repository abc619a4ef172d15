// The npm package oauth4webapi, with every check of a response that it offers.
import * as oauth from "oauth4webapi";
import { finish, open, told } from "./conversation.mjs";

const insecure = { [oauth.allowInsecureRequests]: true }; // the test's server has no TLS
const issuer = new URL(told.issuer);
const algorithm = told.algorithm ?? "oidc";
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm, ...insecure }),
);
const client = { client_id: told.client_id };
const authentication = told.client_secret ? oauth.ClientSecretBasic(told.client_secret) : oauth.None();

if (told.grant === "client_credentials") {
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, authentication, new URLSearchParams({ scope: told.scope }), insecure,
  );
  const tokens = await oauth.processClientCredentialsResponse(server, client, response);
  const request = new Request(told.audience, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, told.audience, insecure);
  finish({ claims });
}

const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const asked = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: told.redirect_uri,
  response_type: "code",
  scope: told.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  max_age: 3600,
  resource: told.audience,
  state,
  nonce,
});
const address = new URL(server.authorization_endpoint);
address.search = asked;
if (told.pushed) {
  const response = await oauth.pushedAuthorizationRequest(server, client, authentication, asked, insecure);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, response);
  address.search = new URLSearchParams({ client_id: client.client_id, request_uri });
}
const parameters = oauth.validateAuthResponse(server, client, await open(address), state); // iss too (RFC 9207)
const response = await oauth.authorizationCodeGrantRequest(
  server, client, authentication, parameters, told.redirect_uri, verifier, insecure,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
  expectedNonce: nonce,
  maxAge: 3600,
  requireIdToken: true,
});
const claims = oauth.getValidatedIdTokenClaims(tokens);
await oauth.validateApplicationLevelSignature(server, response, insecure);
const userinfo = await oauth.processUserInfoResponse(
  server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
);
const refreshed = await oauth.processRefreshTokenResponse(
  server, client, await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, insecure),
);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token, insecure),
);
finish({ claims, userinfo, refreshed: Boolean(refreshed.refresh_token) });
