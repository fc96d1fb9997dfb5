// What llama.cpp makes of texts with the tokenizer of a GGUF file: lines {"text": ...} in, lines
// {"text": ..., "tokens": [...]} out, as `safeguard model tokens` writes them. Run in a folder where
// node-llama-cpp is installed; README.md.
//
//   node tokens.mjs MODEL.gguf < TEXTS.jsonl > TOKENS.jsonl
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

// From where the command runs, not from where this script lies.
const fromHere = createRequire(pathToFileURL(process.cwd() + "/"));
const {getLlama, LlamaLogLevel} =
    await import(pathToFileURL(fromHere.resolve("node-llama-cpp")));

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model =
    await llama.loadModel({modelPath: process.argv[2], gpuLayers: 0, vocabOnly: true});
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line !== "") {
    const {text} = JSON.parse(line);
    console.log(JSON.stringify({text, tokens: model.tokenize(text, false)}));
  }
}
await llama.dispose();
