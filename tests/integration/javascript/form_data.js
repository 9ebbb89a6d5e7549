// The package form-data, which the official SDK uses too, over Node's http: a stream, bytes, and bytes
// with a file name.
const fs = require('fs');
const http = require('http');
const FormData = require(`${process.env.OFFICIAL_SDK}/../form-data`);

const [path, token] = [process.argv[2], process.env.SANDBOX_TOKEN];
const url = `${process.env.SANDBOX_URL}/v1/integration_api/images/upload?expand=true`;

const upload = (source, options) =>
  new Promise((resolve, reject) => {
    const form = new FormData();
    form.append('image', source, options);
    const headers = { ...form.getHeaders(), Authorization: `Bearer ${token}` };
    const request = http.request(url, { method: 'POST', headers }, answer => {
      let text = '';
      answer.on('data', part => (text += part));
      answer.on('end', () => resolve([answer.statusCode, JSON.parse(text)]));
    });
    request.on('error', reject);
    form.pipe(request); // in chunks: the length is not said
  });

(async () => {
  const bytes = fs.readFileSync(path);
  const named = { filename: 'pictüre "one".png', contentType: 'image/png' };
  for (const [source, options] of [[fs.createReadStream(path)], [bytes], [bytes, named]]) {
    const [status, { data, errors }] = await upload(source, options);
    console.log(status, data ? data.attributes.variants.default.height : errors[0].title);
  }
})();
