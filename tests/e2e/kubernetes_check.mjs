// Each manifest against Kubernetes' own schemas, as the npm package kubernetes-models has them. The
// schemas let unknown fields pass, the types do not: manifests.ts is for the compiler.
//   kubernetes_check.mjs FILE...
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';

import {parseAllDocuments} from 'yaml';

const require = createRequire(import.meta.url);
let wrong = 0;
let good = 0;
let source = '';
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const object = document.toJS();
    if (document.errors.length > 0 || document.warnings.length > 0) {
      console.error(`${file}: ${[...document.errors, ...document.warnings]}`);
      ++wrong;
      continue;
    }
    if (object.kind === 'Kustomization') {
      continue;  // a file of kubectl's, not of the API
    }
    const module = `kubernetes-models/${object.apiVersion}/${object.kind}`;
    const Model = require(module)[object.kind];
    const name = `${object.kind}${good + wrong}`;
    source += `import type {I${object.kind} as I${name}} from '${module}';\n`;
    source += `export const its${name}: I${name} = ${JSON.stringify(object, null, 1)};\n`;
    try {
      new Model(object).validate();
      ++good;
    } catch (error) {
      console.error(`${file}: ${error.message}`);
      ++wrong;
    }
  }
}
writeFileSync('manifests.ts', source);
console.log(`${good} objects are as their schemas say, ${wrong} are not`);
process.exit(wrong > 0 || good === 0 ? 1 : 0);
