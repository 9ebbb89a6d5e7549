// As the published example welcome-email: who joined since yesterday, and three listings for them.
const sdk = require('./connect')();

const yesterday = new Date(Date.now() - 86400000);
const joined = { createdAtStart: yesterday, 'fields.user': ['email'] };
const shown = { states: ['published'], 'fields.listing': ['title', 'price'], perPage: 3 };

Promise.all([sdk.marketplace.show(), sdk.users.query(joined), sdk.listings.query(shown)]).then(
  ([marketplace, users, listings]) => {
    console.log(`from ${marketplace.data.data.attributes.name}`);
    console.log(`to ${users.data.data.map(({ attributes }) => attributes.email).join(' ')}`);
    for (const { id, attributes } of listings.data.data) {
      const { amount, currency } = attributes.price;
      console.log(`${id.uuid} ${attributes.title} ${(amount / 100).toFixed(2)} ${currency}`);
    }
  }
);
