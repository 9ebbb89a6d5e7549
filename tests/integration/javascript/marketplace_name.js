// As the published example show-marketplace: one show.
const sdk = require('./connect')();

sdk.marketplace.show().then(answer => console.log(answer.data.data.attributes.name));
