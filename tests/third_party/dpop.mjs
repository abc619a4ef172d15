// The npm package openid-client with proofs of possession (RFC 9449): it hears of nonces and makes proofs by itself.
import * as client from "openid-client";
import { finish, open, told } from "./conversation.mjs";

const insecure = { execute: [client.allowInsecureRequests] }; // the test's server has no TLS
const authentication = told.client_secret ? client.ClientSecretBasic(told.client_secret) : client.None();
const configuration = await client.discovery(new URL(told.issuer), told.client_id, {}, authentication, insecure);
const handle = async (algorithm) => client.getDPoPHandle(configuration, await client.randomDPoPKeyPair(algorithm));
const DPoP = await handle(told.algorithm);
const refused = (promise) => promise.then(() => "accepted", (refusal) => refusal.error ?? refusal.cause?.[0]?.parameters?.error);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const parameters = {
  redirect_uri: told.redirect_uri,
  scope: told.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
};
const address = told.pushed
  ? await client.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP })
  : client.buildAuthorizationUrl(configuration, { ...parameters, dpop_jkt: await DPoP.calculateThumbprint() });
const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(configuration, await open(address), checks, undefined, { DPoP });
const subject = tokens.claims().sub;
const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, subject, { DPoP });
const as_bearer = await refused(client.fetchUserInfo(configuration, tokens.access_token, subject));
const by_a_thief = await refused(
  client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP: await handle(told.algorithm) }),
);
const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP });
const types = [tokens.token_type, refreshed.token_type];
finish({ types, subject, userinfo, as_bearer, by_a_thief });
