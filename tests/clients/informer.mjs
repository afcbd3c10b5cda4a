// An informer on ConfigMaps of one namespace; says what it sees, one JSON line each, until its standard input ends.
// Arguments: the folder with node_modules, a namespace.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, namespace] = process.argv.slice(2);
const k8s = await import(createRequire(`${modules}/`).resolve("@kubernetes/client-node"));

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const say = (what, object) => console.log(JSON.stringify({ what, ...object }));

const labelSelector = "of=test";
const informer = k8s.makeInformer(
  config,
  `/api/v1/namespaces/${namespace}/configmaps`,
  () => core.listNamespacedConfigMap({ namespace, labelSelector }),
  labelSelector,
);
for (const verb of ["add", "update", "delete"]) {
  informer.on(verb, (found) => say(verb, { name: found.metadata.name, data: found.data }));
}
informer.on("connect", () => say("connect"));
informer.on("error", (error) => {
  if (error) say("error", { message: String(error.message ?? error) });
});

// Each line is a command: a call on the typed client whose answer is said.
const calls = {
  create: ({ name, data }) =>
    core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { of: "test" } }, data } }),
  patch: ({ name, patch }) =>
    core.patchNamespacedConfigMap(
      { name, namespace, body: patch },
      k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch),
    ),
  read: ({ name }) => core.readNamespacedConfigMap({ name, namespace }),
  remove: ({ name }) => core.deleteNamespacedConfigMap({ name, namespace }),
  apply: ({ object }) =>
    k8s.KubernetesObjectApi.makeApiClient(config).patch(
      object, undefined, undefined, "informer", true, k8s.PatchStrategy.ServerSideApply,
    ),
  cached: () => informer.list().map((each) => each.metadata.name).sort(),
};

await informer.start();
for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...words } = JSON.parse(line);
  try {
    say(call, { answer: await calls[call](words) });
  } catch (error) {
    say("refused", { code: error.code, message: String(error.body ?? error.message) });
  }
}
await informer.stop();
