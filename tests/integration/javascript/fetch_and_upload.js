// Without the SDK: Node's own fetch, with a form of its own, a stream as body, and keep-alive.
const base = `${process.env.SANDBOX_URL}/v1`;
const [id, png] = [process.env.SANDBOX_CLIENT, Buffer.from(process.argv[2], 'base64')];

const call = async (path, options, token) => {
  const headers = { ...options.headers, ...(token ? { Authorization: `bearer ${token}` } : {}) };
  const answer = await fetch(`${base}/${path}`, { ...options, headers });
  return [answer.status, answer.headers.get('content-type'), await answer.json()];
};

(async () => {
  const grant = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: id,
    client_secret: process.env.SANDBOX_SECRET,
    scope: 'integ',
  });
  const token = (await call('auth/token', { method: 'POST', body: grant }))[2].access_token;
  const api = (path, options = {}) => call(`integration_api/${path}`, options, token);

  const form = new FormData();
  form.append('image', new Blob([png], { type: 'image/png' }), 'me.png');
  const image = await api('images/upload?expand=true', { method: 'POST', body: form });
  console.log(image[0], image[2].data.attributes.variants.default.width);

  const users = await api('users/query?perPage=1');
  const user = users[2].data[0];
  const json = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ id: user.id, profileImageId: image[2].data.id });
  const half = body.length >> 1;
  const stream = new ReadableStream({
    start(to) {
      const bytes = new TextEncoder();
      to.enqueue(bytes.encode(body.slice(0, half)));
      to.enqueue(bytes.encode(body.slice(half)));
      to.close();
    },
  });
  const sent = { method: 'POST', headers: json, body: stream, duplex: 'half' };
  console.log((await api('users/update_profile', sent))[0]);

  const shown = await api(`users/show?id=${user.id}&include=profileImage`);
  console.log(shown[0], shown[1], shown[2].included.length);
  const many = await Promise.all(Array.from({ length: 10 }, () => api('marketplace/show')));
  console.log(new Set(many.map(each => JSON.stringify(each))).size);
})();
