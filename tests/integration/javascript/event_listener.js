// As a published event-listener template: a run of a schedule. The last sequence id is kept in the
// metadata of a user; before the first run, events of the last minutes are taken.
const sdk = require('./connect')();
const denormalise = require('./denormalise');

const [keeper, ...eventTypes] = process.argv.slice(2);

(async () => {
  const [user] = denormalise(await sdk.users.show({ id: keeper }));
  const after = user.attributes.profile.metadata.eventSequenceId;
  const begin = new Date(Date.now() - 6 * 60000);
  const from = after ? { startAfterSequenceId: after } : { createdAtStart: begin };
  const query = { eventTypes: eventTypes.join(','), ...from };
  const events = denormalise(await sdk.events.query(query));
  for (const { attributes } of events) {
    const { eventType, resource, previousValues } = attributes;
    const before = (previousValues.attributes || {}).state;
    console.log(eventType, resource.id.uuid, before || '-', resource.attributes.state || '-');
  }
  if (!events.length) return console.log('nothing new');
  const { sequenceId } = events[events.length - 1].attributes;
  await sdk.users.updateProfile({ id: keeper, metadata: { eventSequenceId: sequenceId } });
})();
