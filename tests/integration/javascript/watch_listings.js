// As the published example notify-new-listings: polls the events of listings, keeps the last sequence
// id in a file, and goes on from there when it is started again. Arguments: the file, milliseconds
// between polls, after how many lines to end (0: as soon as there is nothing new).
const fs = require('fs');
const sdk = require('./connect')();

const [file, pause, lines] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const begin = new Date();
let told = 0;

const tell = text => {
  console.log(text);
  told += 1;
};

const analyse = ({ attributes }) => {
  const { resource, previousValues, eventType, sequenceId } = attributes;
  const author = resource.relationships.author.data.id.uuid;
  const { state } = resource.attributes;
  // Dereferenced as the published example does, for created listings too.
  const before = (previousValues.attributes || {}).state;
  const about = `${resource.id.uuid} by ${author} at ${sequenceId}`;
  if (resource.id.uuid !== attributes.resourceId.uuid) throw new Error('another resource');
  if (eventType === 'listing/created') tell(`created ${state} ${about}`);
  else if (before && before !== state) tell(`${before} ${state} ${about}`);
};

const poll = async after => {
  const from = after === null ? { createdAtStart: begin } : { startAfterSequenceId: after };
  const types = { eventTypes: 'listing/created,listing/updated' };
  const { data } = await sdk.events.query({ ...from, ...types });
  data.data.forEach(analyse);
  const last = data.data[data.data.length - 1];
  if (last) fs.writeFileSync(file, String(last.attributes.sequenceId));
  const isFull = data.data.length === data.meta.perPage;
  if (data.data.length) console.log(`page of ${data.data.length}`);
  if (lines ? told >= lines : !data.data.length) return;
  const next = last ? last.attributes.sequenceId : after;
  setTimeout(() => poll(next), isFull ? 1 : pause);
};

const stored = fs.existsSync(file) ? parseInt(fs.readFileSync(file, 'utf8'), 10) : null;
console.log(stored === null ? 'from now on' : `from ${stored}`);
poll(stored);
