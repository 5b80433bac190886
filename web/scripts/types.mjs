// Makes src/lib/api/types.ts from the documents that the server serves, as they stand in api/. A test of the server holds
// that they are what it serves; `scripts/web check` holds that the types are made from them.
//
//   node scripts/types.mjs          writes the file
//   node scripts/types.mjs --check  fails when it is not current
import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("../src/lib/api/types.ts", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`../api/${name}.json`, import.meta.url), "utf8"));

const nameOf = (ref) => ref.split("/").at(-1);
const comment = (text, indent) => (text ? `${indent}/** ${text.replace(/\s+/g, " ").replace(/\*\//g, "")} */\n` : "");

function object(schema, indent) {
  const { properties = {}, required = [] } = schema;
  const inner = `${indent}  `;
  const lines = Object.keys(properties).sort().map((key) => {
    const isThere = required.includes(key);
    return `${comment(properties[key].description, inner)}${inner}${key}${isThere ? "" : "?"}: ${type(properties[key], inner)};\n`;
  });
  return lines.length === 0 ? "Record<string, never>" : `{\n${lines.join("")}${indent}}`;
}

function type(schema, indent = "") {
  if (schema === true || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) {
    const own = schema.properties ? ` & ${object(schema, indent)}` : "";
    return nameOf(schema.$ref) + own;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) {
    const union = [...new Set(choice.map((one) => type(one, indent)))].join(" | ");
    return schema.properties ? `(${union}) & ${object(schema, indent)}` : choice.length > 1 ? `(${union})` : union;
  }
  if (schema.allOf) return schema.allOf.map((one) => type(one, indent)).join(" & ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((one) => type({ ...schema, type: one }, indent)).join(" | ");
  }
  switch (schema.type) {
    case "string": return "string";
    case "integer":
    case "number": return "number";
    case "boolean": return "boolean";
    case "null": return "null";
    case "array": return `${wrap(type(schema.items ?? {}, indent))}[]`;
    case "object":
      if (schema.properties) return object(schema, indent);
      return schema.additionalProperties ? `Record<string, ${type(schema.additionalProperties, indent)}>` : "Record<string, unknown>";
    default: return "unknown";
  }
}

const wrap = (text) => (/[|&\s]/.test(text) && !text.startsWith("{") && !text.startsWith("(") ? `(${text})` : text);

const openapi = read("openapi"), asyncapi = read("asyncapi");
const rest = openapi.components.schemas, frames = asyncapi.components.schemas;
// Where both tell of a shape, the page's stands: a message on the socket has `timestamp` for `created_at`, which the socket mends.
const shapes = { ...frames, ...rest };
let text = "// Made by scripts/types.mjs from the documents in api/. Do not edit.\n\n";
for (const name of Object.keys(shapes).sort()) {
  text += `${comment(shapes[name].description, "")}export type ${name} = ${type(shapes[name])};\n\n`;
}
for (const [side, title] of [["hear", "Heard"], ["say", "Said"]]) {
  const names = Object.keys(asyncapi.components.messages).filter((name) => name.startsWith(`${side}.`)).sort();
  text += `/** What is ${title.toLowerCase()} on the socket. */\nexport type ${title} =\n`;
  text += `${names.map((name) => `  | (${type(asyncapi.components.messages[name].payload, "    ")})`).join("\n")};\n\n`;
}
text += "/** The paths of the API, and what each can be asked for. */\nexport type Paths = {\n";
for (const [path, item] of Object.entries(openapi.paths).sort()) {
  const methods = Object.keys(item).filter((one) => ["get", "put", "post", "patch", "delete"].includes(one)).sort();
  text += `  ${JSON.stringify(path)}: ${methods.map((one) => JSON.stringify(one)).join(" | ")};\n`;
}
text = `${text}};\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    console.error("src/lib/api/types.ts is not what the documents in api/ say: run `node scripts/types.mjs`.");
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
