// A login of your own in front of Clientdesk, with Ory's package: who signs in, what they allow, and signing out.
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import { Configuration, OAuth2Api } from "@ory/client"

const { PORTAL, PORTAL_TOKEN, PORT = "8004" } = process.env
const ory = new OAuth2Api(new Configuration({ basePath: PORTAL, accessToken: PORTAL_TOKEN }))
const KEY = randomBytes(32) // of the forms of this process; several processes share one
const salt = randomBytes(16)
const hashed = (password) => scryptSync(password, salt, 32)
const password = hashed("open sesame")

// Your people. The subject is what tokens call them: it stays when they change their address. The claims go into access
// tokens: `roles` must be roles of the API, where that has some.
const PEOPLE = new Map([
  ["dana@example.com", { subject: "user-4711", name: "Dana Fox", claims: { plan: "gold", roles: ["dispatcher"] }, password }],
  ["noah@example.com", { subject: "user-4712", name: "Noah Reed", claims: { plan: "free", roles: [] }, password }],
])
const NOBODY = hashed(randomBytes(16).toString("hex"))
const bySubject = (subject) => [...PEOPLE.values()].find((person) => person.subject === subject)

// -- The three requests -----------------------------------------------------------------------------------------------

const login = {
  async show({ challenge, form }) {
    const { data: asked } = await ory.getOAuth2LoginRequest({ loginChallenge: challenge })
    const hint = asked.oidc_context.login_hint
    if (!asked.skip) return form(`Sign in to ${asked.client.client_name}`, signInFields(hint), "Sign in")
    const acceptOAuth2LoginRequest = { subject: asked.subject } // signed in here before, and remembered
    return (await ory.acceptOAuth2LoginRequest({ loginChallenge: challenge, acceptOAuth2LoginRequest })).data
  },
  async answer({ challenge, sent, form }) {
    if (sent.get("no")) {
      const rejectOAuth2Request = { error: "access_denied", error_description: "Nobody signed in." }
      return (await ory.rejectOAuth2LoginRequest({ loginChallenge: challenge, rejectOAuth2Request })).data
    }
    const email = sent.get("email") ?? ""
    const person = PEOPLE.get(email.trim().toLowerCase())
    const proven = timingSafeEqual(hashed(sent.get("password") ?? ""), person?.password ?? NOBODY)
    if (!proven) return form("That is not right", signInFields(email), "Sign in")
    const acceptOAuth2LoginRequest = {
      subject: person.subject,
      remember: sent.has("remember"),
      remember_for: 3600,
      acr: "urn:example:password",
      amr: ["pwd"],
      context: { signed_in_at: "the login app" }, // comes back in the consent request
    }
    return (await ory.acceptOAuth2LoginRequest({ loginChallenge: challenge, acceptOAuth2LoginRequest })).data
  },
}

const consent = {
  async show({ challenge, form }) {
    const { data: asked } = await ory.getOAuth2ConsentRequest({ consentChallenge: challenge })
    if (asked.skip || asked.client.skip_consent) return grant(asked, asked.requested_scope)
    const box = (scope) => `<p><label><input type="checkbox" name="scope" value="${scope}" checked> ${scope}</label>`
    const boxes = asked.requested_scope.map(escape).map(box).join("")
    return form(`What may ${asked.client.client_name} do for you?`, boxes, "Allow")
  },
  async answer({ challenge, sent }) {
    if (sent.get("no")) {
      const rejectOAuth2Request = { error: "access_denied", error_description: "The person did not allow it." }
      return (await ory.rejectOAuth2ConsentRequest({ consentChallenge: challenge, rejectOAuth2Request })).data
    }
    const { data: asked } = await ory.getOAuth2ConsentRequest({ consentChallenge: challenge })
    return grant(asked, asked.requested_scope.filter((scope) => sent.getAll("scope").includes(scope)), 3600)
  },
}

async function grant(asked, scopes, seconds) {
  const { name, claims } = bySubject(asked.subject)
  const acceptOAuth2ConsentRequest = {
    grant_scope: scopes,
    grant_access_token_audience: asked.requested_access_token_audience,
    session: { access_token: claims, id_token: scopes.includes("profile") ? { name } : {} },
    ...(seconds && { remember: true, remember_for: seconds }),
  }
  return (await ory.acceptOAuth2ConsentRequest({ consentChallenge: asked.challenge, acceptOAuth2ConsentRequest })).data
}

const logout = {
  async show({ challenge, form }) {
    const { data: asked } = await ory.getOAuth2LogoutRequest({ logoutChallenge: challenge })
    return form(`Sign out, ${bySubject(asked.subject)?.name ?? asked.subject}?`, "", "Sign out")
  },
  async answer({ challenge, sent }) {
    if (!sent.get("no")) return (await ory.acceptOAuth2LogoutRequest({ logoutChallenge: challenge })).data
    await ory.rejectOAuth2LogoutRequest({ logoutChallenge: challenge })
    return page("You are still signed in", "")
  },
}

// -- Pages ------------------------------------------------------------------------------------------------------------

const escape = (text) => String(text).replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)
const page = (title, body) =>
  `<!doctype html><html lang="en"><title>${escape(title)}</title><h1>${escape(title)}</h1>${body}`
const signInFields = (email = "") => `<p><label>Email <input name="email" value="${escape(email)}" autofocus></label>
  <p><label>Password <input name="password" type="password"></label>
  <p><label><input type="checkbox" name="remember" value="1"> Remember me</label>`

// A form works for the browser that it was shown in and for its challenge alone, so that no other site can send it.
const seal = (visitor, challenge) => createHmac("sha256", KEY).update(`${visitor} ${challenge}`).digest("base64url")
const isSealed = (seal, sent) => sent.length === seal.length && timingSafeEqual(Buffer.from(sent), Buffer.from(seal))

async function handle(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost")
  const kind = pathname.slice(1)
  const step = { login, consent, logout }[kind]
  if (!step) return [404, page("There is no such page", "")]
  const challenge = searchParams.get(`${kind}_challenge`) ?? ""
  let visitor = /(?:^|; )visitor=([\w-]{43})/.exec(request.headers.cookie ?? "")?.[1]
  if (request.method !== "POST") {
    visitor ??= randomBytes(32).toString("base64url")
    const secure = PORTAL.startsWith("https:") ? "; Secure" : ""
    response.setHeader("Set-Cookie", `visitor=${visitor}; HttpOnly; SameSite=Lax; Path=/${secure}`)
  }
  const form = (title, fields, yes) =>
    page(title, `<form method="post"><input type="hidden" name="seal" value="${seal(visitor, challenge)}">${fields}
      <p><button>${yes}</button> <button name="no" value="1">No</button></form>`)
  if (request.method !== "POST") return [200, await step.show({ challenge, form })]
  let body = ""
  for await (const part of request) if ((body += part).length > 10_000) return [413, page("That is too much", "")]
  const sent = new URLSearchParams(body)
  const isOurs = visitor && isSealed(seal(visitor, challenge), sent.get("seal") ?? "")
  if (!isOurs) return [403, page("Start again at the app", "")]
  return [200, await step.answer({ challenge, sent, form })]
}

createServer(async (request, response) => {
  let [status, answer] = await handle(request, response).catch(({ response: refused, message }) => {
    if (refused?.status === 410) return [200, refused.data] // answered before: the browser begins again
    console.error(refused ? `${refused.status} ${JSON.stringify(refused.data)}` : message)
    return [refused?.status === 404 ? 404 : 502, page("Start again at the app", "")]
  })
  if (answer.redirect_to) [status, answer] = [303, response.setHeader("Location", answer.redirect_to) && ""]
  const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" }
  headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
  response.writeHead(status, headers).end(answer)
}).listen(Number(PORT), "127.0.0.1")
