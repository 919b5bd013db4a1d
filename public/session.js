// Where a session has ended, or has changed nothing for long, asks for the password in place and goes on, so that nothing
// that was typed is lost.
const root = document.documentElement;
const form = document.querySelector('#sign-in-again');
let waiting;
let focused;
// The form that is being sent, while it may be.
let checked;

const send = (sent, button) => {
  checked = sent;
  sent.requestSubmit(button);
  // It may be sent again from the same document: after an error, or after a step back.
  checked = undefined;
};
const mayChange = async () => {
  try {
    return (await fetch(form.dataset.check)).status !== 401;
  } catch {
    // Then the browser says what is wrong with the connection.
    return true;
  }
};
const ask = () => {
  root.dataset.signedOut = '';
  form.elements.password.focus();
};
const signIn = async () => {
  const message = form.querySelector('[role=alert]');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    message.textContent = answer.ok ? '' : page.querySelector('[role=alert]')?.textContent ?? answer.status;
    if (!answer.ok) return;
  } catch (error) {
    message.textContent = error.message;
    return;
  }
  form.reset();
  delete root.dataset.signedOut;
  if (focused?.isConnected) focused.focus();
  if (waiting) send(...waiting);
  else dispatchEvent(new Event('signed-in'));
};

form?.addEventListener('focusin', ({ relatedTarget }) => {
  if (!form.contains(relatedTarget)) focused = relatedTarget;
});
addEventListener('submit', async (event) => {
  const { target, submitter } = event;
  // The page itself learns from its polls that its session has ended.
  const isOfPage = target.closest('#app') || target.method !== 'post' || new URL(target.action).pathname.endsWith('/sign-out');
  if (!form || (isOfPage && target !== form) || target === checked) return;
  event.preventDefault();
  if (target === form) await signIn();
  else if (await mayChange()) send(target, submitter);
  else {
    waiting = [target, submitter];
    ask();
  }
});
