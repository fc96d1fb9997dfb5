// OpenAI's own client against the service: the reasoner as a model, and a guarded upstream.
//   node interfaces_client.mjs URL MODEL
import OpenAI, {toFile} from 'openai';

const [url, model] = process.argv.slice(2);
const client = new OpenAI({apiKey: 'local', baseURL: url + '/v1', maxRetries: 0});
const schema = {type: 'object', properties: {violation: {type: 'boolean'}}, required: ['violation'], additionalProperties: false};
const messages = [
  {role: 'system', content: '# Spam\n\nViolates: unsolicited advertising. Answer as JSON.'},
  {role: 'user', content: 'Buy cheap watches now'}];
const format = {type: 'json_schema', json_schema: {name: 'verdict', strict: true, schema}};

const whole = await client.chat.completions.create({model, messages, response_format: format, reasoning_effort: 'low', max_completion_tokens: 64, temperature: 0, logprobs: true, top_logprobs: 2});
const choice = whole.choices[0];
console.log('whole', typeof JSON.parse(choice.message.content).violation, choice.finish_reason, choice.message.reasoning.length > 0, whole.usage.completion_tokens > 0);
console.log('logprobs', Array.isArray(choice.logprobs.content));

let content = '', reasoning = '', finish = '';
for await (const chunk of await client.chat.completions.create({model, messages, response_format: format, max_completion_tokens: 64, temperature: 0, reasoning_effort: 'low', stream: true})) {
  content += chunk.choices[0]?.delta.content ?? '';
  reasoning += chunk.choices[0]?.delta.reasoning ?? '';
  finish = chunk.choices[0]?.finish_reason ?? finish;
}
console.log('stream', content === choice.message.content, reasoning === choice.message.reasoning, finish);

const response = await client.responses.create({model, instructions: messages[0].content, input: messages[1].content, max_output_tokens: 64, temperature: 0, reasoning: {effort: 'low'}, text: {format: {type: 'json_schema', name: 'verdict', schema}}});
console.log('responses', response.status, typeof JSON.parse(response.output_text).violation);
const stream = client.responses.stream({model, instructions: messages[0].content, input: messages[1].content, max_output_tokens: 64, temperature: 0, reasoning: {effort: 'low'}, text: {format: {type: 'json_schema', name: 'verdict', schema}}});
console.log('responses stream', (await stream.finalResponse()).output_text === response.output_text);

try {
  await client.chat.completions.create({model, messages, tools: [{type: 'function', function: {name: 'f', parameters: {}}}]});
  console.log('tools passed');
} catch (error) {
  console.log('tools refused', error.status);
}

// The upstream, guarded.
const bad = 'I will find you and kill you tomorrow';
const ask = (text, more = {}) => client.chat.completions.create({model: 'up', messages: [{role: 'user', content: text}], ...more});
console.log('passed', (await ask('say: The station is on the left.')).choices[0].message.content);
const stopped = await ask(bad, {moderation: {policy: {input: {mode: 'block'}}}});
console.log('input', stopped.choices[0].finish_reason, stopped.moderation.input.results[0].categories.violence);
let seen = '', end = '';
for await (const chunk of await ask('say: The weather is fine today.', {stream: true})) {
  seen += chunk.choices[0]?.delta.content ?? '';
  end = chunk.choices[0]?.finish_reason ?? end;
}
console.log('streamed', seen, end);

// Batches.
const over = ['completed', 'failed', 'expired', 'cancelled'];
async function batchOf(lines, endpoint) {
  const input = await client.files.create({file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'), purpose: 'batch'});
  let batch = await client.batches.create({input_file_id: input.id, endpoint, completion_window: '24h'});
  for (let i = 0; i < 600 && !over.includes(batch.status); ++i) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    batch = await client.batches.retrieve(batch.id);
  }
  return batch;
}
const lineOf = (id, url, body) => JSON.stringify({custom_id: id, method: 'POST', url, body});
const linesOf = async (id) => (await (await client.files.content(id)).text()).trim().split('\n').map(JSON.parse);
const moderated = await batchOf([lineOf('b', '/v1/moderations', {input: 'hello'}), lineOf('a', '/v1/moderations', {input: bad})], '/v1/moderations');
const answers = await linesOf(moderated.output_file_id);
console.log('batch', moderated.status, moderated.request_counts.completed, moderated.request_counts.failed, answers.map((line) => line.custom_id).join(), answers[1].response.body.results[0].flagged);
const chats = await batchOf([lineOf('1', '/v1/chat/completions', {model, messages, max_completion_tokens: 4}), lineOf('2', '/v1/chat/completions', {model: 'up', messages})], '/v1/chat/completions');
console.log('batch of chats', chats.status, chats.request_counts.completed, chats.request_counts.failed);
const broken = await batchOf([lineOf('1', '/v1/moderations', {input: 'x'}), '{'], '/v1/moderations');
console.log('batch refused', broken.status, broken.errors.data[0].line, broken.errors.data[0].code);
for await (const file of client.files.list({purpose: 'batch_output'})) {
  await client.files.delete(file.id);
}
console.log('files deleted', (await client.files.list({purpose: 'batch_output'})).data.length === 0);
