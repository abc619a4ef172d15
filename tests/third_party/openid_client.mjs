// The npm package openid-client, as its own documentation uses it.
import * as client from "openid-client";
import { finish, open, told } from "./conversation.mjs";

const insecure = { execute: [client.allowInsecureRequests] }; // the test's server has no TLS
const authentication = told.client_secret ? client.ClientSecretBasic(told.client_secret) : client.None();
const configuration = await client.discovery(new URL(told.issuer), told.client_id, {}, authentication, insecure);

const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const address = client.buildAuthorizationUrl(configuration, {
  redirect_uri: told.redirect_uri,
  scope: told.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const tokens = await client.authorizationCodeGrant(configuration, await open(address), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token);
const introspected = told.client_secret
  ? await client.tokenIntrospection(configuration, refreshed.access_token)
  : undefined;
await client.tokenRevocation(configuration, refreshed.refresh_token);
const afterwards = await client
  .refreshTokenGrant(configuration, refreshed.refresh_token)
  .then(() => "accepted", (refusal) => refusal.error);

finish({ claims, userinfo, token_type: tokens.token_type, refreshed: Boolean(refreshed.access_token), introspected, afterwards });
