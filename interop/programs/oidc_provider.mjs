// oidc-provider with two native clients. Its own pages ask for a name and any password, and for consent.
//
// argv: the module's file, the port. Standard input: the clients, as a JSON list.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, port] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(file));
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: JSON.parse(readFileSync(0, "utf8")),
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  features: {
    deviceFlow: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: { enabled: false },
  },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: "Ada", email: `${id}@example.com`, email_verified: true }),
  }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1");
