// Reads an AsyncAPI document and says what is wrong with it, and what it knows of it: node asyncapi.cjs FILE
const { Parser } = require("@asyncapi/parser");
const fs = require("fs");

(async () => {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(process.argv[2], "utf8"));
  for (const d of diagnostics) if (d.severity < 2) console.log(["error", "warning"][d.severity], d.path.join("/"), d.message);
  if (!document) process.exit(1);
  console.log(document.version(), document.info().title());
  for (const o of document.operations().all()) {
    const channel = o.channels().all()[0];
    const request = o.messages().all()[0];
    console.log(o.id(), o.action(), channel.address(), request.contentType() ?? "-", request.payload()?.type() ?? "-",
      o.reply().messages().all().map((m) => m.id()).join(), JSON.stringify(o.bindings().get("x-kbus")?.value() ?? null));
  }
})();
