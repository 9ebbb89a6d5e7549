// As the published example update-user-metadata: a user by e-mail address, then an update that is
// answered with two attributes, one of them nested.
const sdk = require('./connect')();

(async () => {
  const user = await sdk.users.show({ email: process.argv[2] });
  const changed = await sdk.users.updateProfile(
    { id: user.data.data.id, metadata: { verified: true } },
    { expand: true, 'fields.user': ['email', 'profile.metadata'] }
  );
  console.log(JSON.stringify(changed.data.data.attributes));
})();
