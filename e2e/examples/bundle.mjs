// Bundles the front end made for Soketi to standard output, with the variables
// put in as Next.js does.
import { build } from "esbuild";

const variables = Object.entries(process.env).filter(([name]) => name.startsWith("NEXT_PUBLIC_"));
const { outputFiles } = await build({
  entryPoints: ["soketi/tracking.jsx"],
  bundle: true,
  write: false,
  jsx: "automatic",
  define: {
    "process.env.NODE_ENV": '"production"',
    ...Object.fromEntries(variables.map(([name, value]) => [`process.env.${name}`, JSON.stringify(value)])),
  },
});
process.stdout.write(outputFiles[0].contents);
