// An OpenID provider for the tests: oidc-provider, with people and clients from the file that it is given.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const { issuer, port, clients, people, backchannel } = JSON.parse(readFileSync(process.argv[2], "utf8"));

const provider = new Provider(issuer, {
  clients,
  cookies: { keys: ["one for the tests"] },
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name"],
    groups: ["groups"],
  },
  scopes: ["openid", "offline_access", "groups"],
  conformIdTokenClaims: false, // so that the ID token has the claims, as most products send them
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: backchannel },
    rpInitiatedLogout: { enabled: true },
  },
  pkce: { required: () => true },
  fetch(url, options) {
    return fetch(url, { ...options, dispatcher: undefined }); // the portal is on a loopback address here
  },
  async findAccount(_, id) {
    // Read anew each time: tests change what a person is.
    const said = JSON.parse(readFileSync(process.argv[2], "utf8")).people[id] ?? {};
    return { accountId: id, claims: async () => ({ sub: id, ...said }) };
  },
});

provider.listen(port, "127.0.0.1", () => console.log("listening"));
provider.on("server_error", (_, error) => console.error(error));
provider.on("backchannel.error", async (_, error) => console.error(error, await error.response?.text()));
