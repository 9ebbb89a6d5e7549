// As the published example update-profile-image: an upload and a show at once, then an update.
const sdk = require('./connect')();

const [path, email] = process.argv.slice(2);

(async () => {
  const [image, user] = await Promise.all([
    sdk.images.upload({ image: path }),
    sdk.users.show({ email }),
  ]);
  const { id } = user.data.data;
  await sdk.users.updateProfile({ id, profileImageId: image.data.data.id });
  const { data } = await sdk.users.show({ id, include: ['profileImage'] });
  console.log(data.included.map(each => `${each.type} ${each.id.uuid}`).join('\n'));
  console.log(image.data.data.id.uuid);
})();
