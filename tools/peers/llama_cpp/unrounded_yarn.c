// Gives llama.cpp the YaRN ramp that gpt-oss was trained with. ggml rounds the ends of the ramp
// outwards to whole dimensions (8 and 18); gpt-oss's config says "truncate": false, so they are
// 8.09 and 17.40. Loaded in front of ggml's own function of the same name:
//
//   cc -O2 -shared -fPIC -o unrounded_yarn.so unrounded_yarn.c -lm
//   LD_PRELOAD=$PWD/unrounded_yarn.so node .../logits.mjs ...
#include <math.h>
#include <stdio.h>

static float Dimension(int dimensions, int context, float base, float turns) {
  return (float)(dimensions * log(context / (turns * 2 * M_PI)) / (2 * log(base)));
}

void ggml_rope_yarn_corr_dims(int dimensions, int context, float base, float beta_fast,
                              float beta_slow, float ends[2]) {
  static int said = 0;
  ends[0] = fmaxf(0, Dimension(dimensions, context, base, beta_fast));
  ends[1] = fminf((float)(dimensions - 1), Dimension(dimensions, context, base, beta_slow));
  if (!said) {
    said = 1;
    fprintf(stderr, "YaRN ramp from %.4f to %.4f, unrounded\n", ends[0], ends[1]);
  }
}
