// As the published example bulk-update-listings: a first page of listings, then one update after the
// other. Without --for-real it only counts.
const sdk = require('./connect')();

const entries = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map(dayOfWeek => ({
  dayOfWeek,
  startTime: '00:00',
  endTime: '00:00',
  seats: 1,
}));
const plan = { type: 'availability-plan/time', timezone: 'Europe/Helsinki', entries };
const isByDay = found => found === null || found.type === 'availability-plan/day';

(async () => {
  const { data } = await sdk.listings.query();
  const old = data.data.filter(({ attributes }) => isByDay(attributes.availabilityPlan));
  console.log(data.meta.totalItems, data.data.length, old.length);
  // Commands are limited to one in two seconds once the burst is used up.
  const chosen = process.argv.includes('--for-real') ? old.slice(0, 20) : [];
  for (const { id } of chosen) {
    await sdk.listings.update({ id, availabilityPlan: plan });
    console.log(id.uuid);
  }
})();
