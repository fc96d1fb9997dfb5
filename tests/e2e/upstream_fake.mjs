// An OpenAI- and Anthropic-shaped upstream on loopback that says what the last message (of
// responses: the input) tells it to:
// "say: TEXT". Its address goes to the file in argv[2]; what it was sent, to stdout.
import {createServer} from 'node:http';
import {writeFileSync} from 'node:fs';

const sse = (response, events) => {
  response.writeHead(200, {'content-type': 'text/event-stream'});
  // A byte at a time, as the worst network would.
  for (const byte of Buffer.from(events.join(''))) response.write(Buffer.from([byte]));
  response.end();
};
const data = (json) => `data: ${JSON.stringify(json)}\n\n`;
const named = (name, json) => `event: ${name}\ndata: ${JSON.stringify({type: name, ...json})}\n\n`;

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => (text += piece));
  request.on('end', () => {
    const body = JSON.parse(text);
    console.log(request.url, JSON.stringify(body));
    const said = (body.messages?.at(-1).content ?? body.input).replace(/^say: /, '');
    const words = said.split(/(?<= )/);
    if (request.url === '/v1/messages') {
      return sse(response, [
        named('message_start', {message: {id: 'msg_1', type: 'message', role: 'assistant', content: [], model: body.model, stop_reason: null, usage: {input_tokens: 1, output_tokens: 1}}}),
        named('content_block_start', {index: 0, content_block: {type: 'text', text: ''}}),
        ...words.map((word) => named('content_block_delta', {index: 0, delta: {type: 'text_delta', text: word}})),
        named('content_block_stop', {index: 0}),
        named('message_delta', {delta: {stop_reason: 'end_turn'}, usage: {output_tokens: 9}}),
        named('message_stop', {})]);
    }
    if (request.url === '/v1/responses') {
      const answer = {id: 'resp_up', object: 'response', created_at: 1, model: body.model};
      const part = {output_index: 0, content_index: 0};
      if (body.stream) {
        return sse(response, [
          named('response.created', {response: {...answer, status: 'in_progress', output: []}}),
          ...words.map((delta) => named('response.output_text.delta', {...part, delta})),
          named('response.output_text.done', {...part, text: said}),
          named('response.completed', {response: {...answer, status: 'completed', output: []}})]);
      }
      response.writeHead(200, {'content-type': 'application/json'});
      return response.end(JSON.stringify({...answer, status: 'completed', output: [{type: 'message', role: 'assistant', content: [{type: 'output_text', text: said}]}]}));
    }
    const head = {id: 'chatcmpl-up', created: 1, model: body.model};
    if (!body.stream) {
      response.writeHead(200, {'content-type': 'application/json'});
      return response.end(JSON.stringify({...head, object: 'chat.completion', choices: [{index: 0, message: {role: 'assistant', content: said}, finish_reason: 'stop'}], usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2}}));
    }
    const chunk = (delta, finish_reason = null) => data({...head, object: 'chat.completion.chunk', choices: [{index: 0, delta, finish_reason}]});
    sse(response, [...words.map((content) => chunk({content})), chunk({}, 'stop'), 'data: [DONE]\n\n']);
  });
});
server.listen(0, '127.0.0.1', () => writeFileSync(process.argv[2], `http://127.0.0.1:${server.address().port}`));
