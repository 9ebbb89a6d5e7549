// As the published example approve-listings-by-user: all that wait for approval, at once.
const sdk = require('./connect')();

(async () => {
  const author = await sdk.users.show({ email: process.argv[2] });
  const waiting = await sdk.listings.query({
    authorId: author.data.data.id,
    states: ['pendingApproval'],
    'fields.listing': 'state',
  });
  const shape = { expand: true, 'fields.listing': 'title' };
  const approved = await Promise.all(
    waiting.data.data.map(({ id }) => sdk.listings.approve({ id }, shape))
  );
  approved.forEach(({ data }) => console.log(data.data.id.uuid, data.data.attributes.title));
})();
