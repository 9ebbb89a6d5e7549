// Makes the calls that it is given, [resource, action, parameters, query], and joins each answer.
// Prints of each how many were in which places: {"listing": 3, "listing.author": 3}.
const sdk = require('./connect')();
const denormalise = require('./denormalise');

const count = (found, place, counts) => {
  counts[place] = (counts[place] || 0) + 1;
  for (const [relation, related] of Object.entries(found)) {
    if (['id', 'type', 'attributes'].includes(relation)) continue;
    if (related === null || related.length === 0) counts[`${place}.${relation}`] ||= 0;
    for (const each of [].concat(related || [])) count(each, `${place}.${relation}`, counts);
  }
  return counts;
};

(async () => {
  const told = [];
  for (const [resource, action, parameters, query] of JSON.parse(process.argv[2])) {
    const joined = denormalise(await sdk[resource][action](parameters, query));
    const counts = {};
    joined.forEach(each => count(each, each.type, counts));
    told.push(counts);
  }
  console.log(JSON.stringify(told));
})().catch(error => {
  console.error(error.message, JSON.stringify(error.data));
  process.exit(1);
});
