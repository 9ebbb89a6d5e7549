// As the published example create-listings: in order with pauses, or all at once; who is refused
// with 429 waits and tries again. Arguments: the author, how many, milliseconds of a pause, --at-once.
const sdk = require('./connect')();

const authorId = process.argv[2];
const [many, pause] = process.argv.slice(3, 5).map(Number);
const wait = ms => new Promise(done => setTimeout(done, ms));

const create = async (listing, patience = pause) => {
  try {
    const { data } = await sdk.listings.create(listing, { expand: true });
    return data.data;
  } catch (error) {
    if (error.status !== 429) throw error;
    console.error('429');
    await wait(patience);
    return create(listing, patience * 2);
  }
};

(async () => {
  const listings = Array.from({ length: many }, (_, index) => ({
    title: `Import ${index + 1}`,
    description: 'From a list of ours',
    authorId,
    state: 'published',
    price: { amount: 10000, currency: 'USD' },
    metadata: { extId: index + 1 },
  }));
  const created = [];
  if (process.argv.includes('--at-once')) {
    created.push(...(await Promise.all(listings.map(listing => create(listing)))));
  } else {
    for (const listing of listings) {
      created.push(await create(listing));
      await wait(pause);
    }
  }
  created.forEach(({ attributes: { title, price, metadata } }) =>
    console.log(title, price.amount, price.currency, metadata.extId)
  );
})();
