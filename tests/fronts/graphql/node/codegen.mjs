// Makes types of a schema and documents with the plugins of GraphQL Code Generator; prints them as JSON.
import { readFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const [, , schema, ...documents] = process.argv;
const read = (path) => parse(readFileSync(path, "utf8"));
const output = await codegen({
  schema: read(schema),
  documents: documents.map((location) => ({ location, document: read(location) })),
  filename: "made.ts",
  config: {},
  plugins: [{ typescript: {} }, { operations: {} }],
  pluginMap: { typescript, operations },
});
console.log(JSON.stringify(output));
