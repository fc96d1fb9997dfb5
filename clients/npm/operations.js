// By the operation ids of the OpenAPI document; a test compares the two. `keyed`: the operation takes
// an Idempotency-Key, so sending it again cannot do a thing twice.
const get = (path) => ({method: 'GET', path, keyed: false});
const post = (path) => ({method: 'POST', path, keyed: false});
const del = (path) => ({method: 'DELETE', path, keyed: false});
const keyed = (path) => ({method: 'POST', path, keyed: true});

export const OPERATIONS = {
  judge: keyed('/v1/judge'),
  judgeBatch: keyed('/v1/judge/batch'),
  createModeration: keyed('/v1/moderations'),
  createChatCompletion: post('/v1/chat/completions'),
  listModels: get('/v1/models'),
  listPolicies: get('/v1/policies'),
  publishPolicy: keyed('/v1/policies'),
  showPolicy: get('/v1/policies/{id}'),
  listVersions: get('/v1/policies/{id}/versions'),
  publishVersion: keyed('/v1/policies/{id}/versions'),
  showVersion: get('/v1/policies/{id}/versions/{version}'),
  approveVersion: keyed('/v1/policies/{id}/versions/{version}/approve'),
  promoteVersion: keyed('/v1/policies/{id}/versions/{version}/promote'),
  rollbackPolicy: keyed('/v1/policies/{id}/rollback'),
  policyHistory: get('/v1/policies/{id}/history'),
  submitJob: keyed('/v1/jobs'),
  submitJobs: keyed('/v1/jobs/batch'),
  listJobs: get('/v1/jobs'),
  getJob: get('/v1/jobs/{id}'),
  retryJob: keyed('/v1/jobs/{id}/retry'),
  fileReview: keyed('/v1/reviews'),
  listReviews: get('/v1/reviews'),
  nextReview: post('/v1/reviews/next'),
  getReview: get('/v1/reviews/{id}'),
  decideReview: post('/v1/reviews/{id}/decision'),
  releaseReview: post('/v1/reviews/{id}/release'),
  uploadDataset: keyed('/v1/datasets'),
  listDatasets: get('/v1/datasets'),
  getDataset: get('/v1/datasets/{id}'),
  deleteDataset: del('/v1/datasets/{id}'),
  startEval: keyed('/v1/eval/runs'),
  listEvals: get('/v1/eval/runs'),
  getEval: get('/v1/eval/runs/{id}'),
  evalReport: get('/v1/eval/runs/{id}/report'),
  shadowResults: get('/v1/policies/{id}/versions/{version}/shadow'),
  listVerdicts: get('/v1/verdicts'),
  exportVerdicts: get('/v1/verdicts/export'),
  getReceipt: get('/v1/verdicts/{id}/receipt'),
  ready: get('/readyz'),
  metrics: get('/metrics'),
};
