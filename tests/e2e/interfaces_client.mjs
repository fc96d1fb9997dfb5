// OpenAI's own client against the service: the reasoner as a model, and a guarded upstream.
//   node interfaces_client.mjs URL MODEL
import OpenAI from 'openai';

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
