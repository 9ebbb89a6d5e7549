// Holders of one token in a Node program, with the official JavaScript SDK and its file store.
// Each line of input is the time to call at (ms since 1970); each line of output its results.
const readline = require('readline');
const { performance } = require('perf_hooks');
const { createInstance, tokenStore } = require('sharetribe-flex-integration-sdk');

const [count, baseUrl, clientId, clientSecret] = process.argv.slice(2);
const sdk = createInstance({ baseUrl, clientId, clientSecret, tokenStore: tokenStore.fileStore() });
const now = () => performance.timeOrigin + performance.now();

const call = async start => {
  try {
    await sdk.marketplace.show();
    return [null, (now() - start) / 1000];
  } catch (error) {
    return [`${error.name}: ${error.message}`.slice(0, 90), (now() - start) / 1000];
  }
};
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', line => {
  const start = Number(line);
  setTimeout(async () => {
    const results = await Promise.all(Array.from({ length: Number(count) }, () => call(start)));
    console.log(JSON.stringify(results));
  }, Math.max(0, start - now()));
});
lines.on('close', () => process.exit(0));
console.log('"ready"');
