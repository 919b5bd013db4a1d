// The event stream, one for all windows of a browser: each stream holds one of the six connections that a browser opens
// to a server over HTTP/1.1. One window has it and tells the others what it brings. Which one they agree on by messages,
// because Web Locks exist only over TLS, and many an overview is reached without.
const ANSWER_MS = 100;
const leaving = ['beforeunload', 'pagehide'];
const silent = { postMessage() {}, close() {} };

// A cursor ends in the process that made it, and how many states of the cluster that had shown.
const parse = (cursor) => {
  const [, process, number] = cursor.match(/(\w+)\.(\d+)$/) ?? [];
  return { process, number: Number(number) };
};
// Every part of a change is a state, so that it may be applied to any state between the two that it leads from and to.
const leadsOn = (at, from, to) => {
  const [state, first, last] = [at, from, to].map(parse);
  return at === from || (state.process === first.process && first.process === last.process
    && first.number <= state.number && state.number <= last.number);
};

// Calls `tell` with each update, with '' when another window has the stream, and with null when there is none any more.
// Returns what gives it up.
export const openStream = (address, cursor, tell) => {
  const id = Math.random();
  const channel = globalThis.BroadcastChannel ? new BroadcastChannel(import.meta.url) : silent;
  let at = cursor;
  let source;
  let timer;
  const stopLeading = () => {
    source?.close();
    source = undefined;
  };
  const close = () => {
    clearTimeout(timer);
    for (const event of leaving) removeEventListener(event, end);
    if (source) channel.postMessage({ left: true });
    stopLeading();
    channel.close();
  };
  // A page that is left, perhaps by signing out, asks for nothing; it may come back as it was.
  function end() {
    close();
    tell(null);
  }
  const lead = () => {
    channel.postMessage({ leader: id });
    try {
      source = new EventSource(`${address}&cursor=${at}`);
    } catch {
      end();
      return;
    }
    source.addEventListener('update', ({ data, lastEventId }) => {
      channel.postMessage({ data, from: at, to: lastEventId });
      at = lastEventId;
      tell(data);
    });
    for (const event of ['resync', 'bye', 'error']) source.addEventListener(event, end);
  };
  const leadAfter = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(lead, ms);
  };
  channel.onmessage = ({ data: { asks, leader, left, data, from, to } }) => {
    if (left) {
      if (!source) leadAfter(ANSWER_MS * Math.random());
    } else if (source) {
      // Of two that have the stream, one gives it up.
      if (asks || leader > id) channel.postMessage({ leader: id });
      else if (leader) stopLeading();
    } else if (leader) {
      clearTimeout(timer);
      tell('');
    } else if (data) {
      clearTimeout(timer);
      if (leadsOn(at, from, to)) {
        at = to;
        tell(data);
      } else if (!leadsOn(to, from, at)) {
        end();
      }
    }
  };
  for (const event of leaving) addEventListener(event, end);
  if (channel === silent) lead();
  else {
    channel.postMessage({ asks: true });
    leadAfter(ANSWER_MS);
  }
  return close;
};
