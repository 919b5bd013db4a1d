// The event stream, one for all windows of a browser: each stream holds one of the six connections that a browser opens
// to a server over HTTP/1.1. One window has it and tells the others what it brings. Which one they agree on by messages,
// because Web Locks exist only over TLS, and many an overview is reached without.
const ANSWER_MS = 100;
const leaving = ['beforeunload', 'pagehide'];
const silent = { postMessage() {}, close() {} };

// A cursor has the number of the last commit, the process that made it, and how often that has changed besides.
const parse = (cursor) => {
  const [, commit, process, generation] = cursor.match(/\.(\d+)-\w+\.(\w+)\.(\d+)$/) ?? [];
  return { process, commit: Number(commit), generation: Number(generation) };
};
// Whether a state is not later than another.
const isUpTo = (one, other) => {
  const [a, b] = [one, other].map(parse);
  return one === other || (a.process === b.process && a.commit <= b.commit && a.generation <= b.generation);
};

// Calls `tell` with the text of each update, with '' when another window has the stream, and with null when the stream has
// ended. Returns a function that closes it.
export const openStream = (address, cursor, tell) => {
  const id = Math.random();
  const channel = globalThis.BroadcastChannel ? new BroadcastChannel(import.meta.url) : silent;
  let at = cursor;
  let source;
  let timer;
  // Only who has got something through has the stream: a proxy may hold it back.
  let leads = false;
  const stopLeading = () => {
    leads = false;
    source?.close();
    source = undefined;
  };
  const close = () => {
    clearTimeout(timer);
    for (const event of leaving) removeEventListener(event, end);
    if (leads) channel.postMessage({ left: true });
    stopLeading();
    channel.close();
  };
  // A page that is left, perhaps by signing out, asks for nothing; it may come back as it was.
  function end() {
    close();
    tell(null);
  }
  const lead = () => {
    try {
      source = new EventSource(`${address}&cursor=${at}`);
    } catch {
      end();
      return;
    }
    source.addEventListener('update', ({ data, lastEventId }) => {
      if (!leads) channel.postMessage({ leader: id });
      leads = true;
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
      if (leads && (asks || leader > id)) channel.postMessage({ leader: id });
      else if (leader) stopLeading();
    } else if (leader) {
      clearTimeout(timer);
      tell('');
    } else if (data) {
      clearTimeout(timer);
      // Every part of a change is a state, so that it may be applied to any state between the two that it leads from and to.
      if (isUpTo(from, at) && isUpTo(at, to)) {
        at = to;
        tell(data);
      } else if (!isUpTo(to, at)) {
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
