// Asks the console for something, or to do something; an answer that is none is one sentence.

const csrf = document.querySelector('meta[name="csrf"]').content;

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export async function ask(path, body = {}) {
  const answer = await reach(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-csrf-token': csrf },
    body: JSON.stringify(body),
  });
  return answer.json();
}

export async function bytes(path) {
  return (await reach(path, { headers: { accept: 'audio/wav' } })).arrayBuffer();
}

async function reach(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal(0, 'The console does not answer; check that it runs, then try again.');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) location.assign('/login');
  const told = answer.headers.get('content-type')?.startsWith('application/json') ? (await answer.json()).error : '';
  throw new Refusal(answer.status, told || 'That did not work; try again.');
}
