// An instance of the official SDK with the limiters that its documentation advises in development.
const lib = require(process.env.OFFICIAL_SDK);

const { createRateLimiter, devQueryLimiterConfig, devCommandLimiterConfig } = lib.util;

module.exports = () =>
  lib.createInstance({
    baseUrl: process.env.SANDBOX_URL,
    clientId: process.env.SANDBOX_CLIENT,
    clientSecret: process.env.SANDBOX_SECRET,
    queryLimiter: createRateLimiter(devQueryLimiterConfig),
    commandLimiter: createRateLimiter(devCommandLimiterConfig),
  });
