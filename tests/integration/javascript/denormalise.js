// Puts related resources in the place of the references to them, as the helper of the web template does.
// A reference to a resource that was not sent is an error there, so it is one here.
const name = ({ id, type }) => `${type} ${id.uuid}`;

module.exports = answer => {
  const { data, included = [] } = answer.data;
  const roots = data === null ? [] : [].concat(data);
  const sent = new Map([...included, ...roots].map(each => [name(each), each]));

  const join = reference => {
    const found = sent.get(name(reference));
    if (!found) throw new Error(`${name(reference)} is referred to, and was not sent`);
    const { relationships = {}, ...whole } = found;
    for (const [relation, { data: to }] of Object.entries(relationships)) {
      whole[relation] = Array.isArray(to) ? to.map(join) : to && join(to);
    }
    return whole;
  };

  return roots.map(join);
};
