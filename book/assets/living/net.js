// The deep net of Part 3 in small, forward, backward and one step of plain descent.
// A matrix is a Float64Array, row by row. Of each layer
//
//   in @ W -> z, normalized or not -> u = (scale *) z + shift -> f(u)
//
// `scale` is used with batch normalization only; `shift` is then its beta.

const net = { chars: 27, context: 3, channels: 10, width: 32, depth: 5, eps: 1e-5 }

// The slope is computed from the output, as in the chapter.
net.activations = {
  tanh: { f: Math.tanh, slope: h => 1 - h * h },
  ReLU: { f: u => Math.max(u, 0), slope: h => (h > 0 ? 1 : 0) },
  none: { f: u => u, slope: () => 1 },
}

// n numbers, standard normal, by Box and Muller.
net.normals = (n, random) =>
  Float64Array.from({ length: n }, () => {
    const size = Math.sqrt(-2 * Math.log(1 - random()))
    return size * Math.cos(2 * Math.PI * random())
  })

// A net whose parameters are drawn anew: { settings, params: { name: array } }.
net.create = (settings, random) => {
  const { chars, context, channels, width, depth } = net
  const matrix = (rows, columns, gain) =>
    net.normals(rows * columns, random).map(v => (v * gain) / Math.sqrt(rows))
  const params = { C: matrix(chars, channels, Math.sqrt(chars)) }
  for (let i = 1; i <= depth; i++) {
    // As in the chapter: the gain is that of the layers after a tanh; the first gets its share.
    const [rows, gain] = i === 1 ? [context * channels, settings.gain / (5 / 3)] : [width, settings.gain]
    params[`W${i}`] = matrix(rows, width, gain)
    params[`scale${i}`] = new Float64Array(width).fill(1)
    params[`shift${i}`] = new Float64Array(width)
  }
  params.out = matrix(width, chars, 0.1)
  params.bias = new Float64Array(chars)
  return { settings, params }
}

// x @ W: (rows, inner), (inner, columns) -> (rows, columns).
net.times = (x, W, inner, columns) => {
  const rows = x.length / inner
  const y = new Float64Array(rows * columns)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < inner; i++) {
      const v = x[r * inner + i]
      if (v !== 0) for (let c = 0; c < columns; c++) y[r * columns + c] += v * W[i * columns + c]
    }
  return y
}

// x.T @ dy, the gradient of W.
net.outer = (x, dy, inner, columns) => {
  const rows = x.length / inner
  const dW = new Float64Array(inner * columns)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < inner; i++) {
      const v = x[r * inner + i]
      if (v !== 0) for (let c = 0; c < columns; c++) dW[i * columns + c] += v * dy[r * columns + c]
    }
  return dW
}

// dy @ W.T, the gradient of x.
net.back = (dy, W, inner, columns) => {
  const rows = dy.length / columns
  const dx = new Float64Array(rows * inner)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < inner; i++) {
      let sum = 0
      for (let c = 0; c < columns; c++) sum += dy[r * columns + c] * W[i * columns + c]
      dx[r * inner + i] = sum
    }
  return dx
}

// The sum over the batch of each column of a, or of a * b.
net.sums = (a, columns, b) => {
  const sums = new Float64Array(columns)
  for (let i = 0; i < a.length; i++) sums[i % columns] += b ? a[i] * b[i] : a[i]
  return sums
}

// In place: each unit less its mean over the batch, over its standard deviation (biased, as
// in the chapter). Returns 1 over the standard deviation of each unit.
net.normalize = (z, width) => {
  const batch = z.length / width
  const mean = net.sums(z, width).map(v => v / batch)
  for (let i = 0; i < z.length; i++) z[i] -= mean[i % width]
  const inverse = net.sums(z, width, z).map(v => 1 / Math.sqrt(v / batch + net.eps))
  for (let i = 0; i < z.length; i++) z[i] *= inverse[i % width]
  return inverse
}

// Through batch normalization: inverse * (dz - mean(dz) - z * mean(dz * z)), in place.
net.normalizeBack = (dz, z, inverse, width) => {
  const batch = z.length / width
  const level = net.sums(dz, width)
  const slope = net.sums(dz, width, z)
  for (let i = 0; i < dz.length; i++) {
    const j = i % width
    dz[i] = inverse[j] * (dz[i] - level[j] / batch - (z[i] * slope[j]) / batch)
  }
}

// contexts (3 ids an example, one after the other) -> what each layer makes, and the logits.
net.forward = ({ settings, params }, contexts) => {
  const { chars, context, channels, width, depth } = net
  const { f } = net.activations[settings.activation]
  let x = new Float64Array(contexts.length * channels)
  contexts.forEach((id, i) => x.set(params.C.subarray(id * channels, (id + 1) * channels), i * channels))
  const layers = []
  for (let i = 1; i <= depth; i++) {
    const z = net.times(x, params[`W${i}`], i === 1 ? context * channels : width, width)
    const inverse = settings.norm ? net.normalize(z, width) : null
    const [scale, shift] = [params[`scale${i}`], params[`shift${i}`]]
    const h = z.map((v, k) => f((inverse ? scale[k % width] * v : v) + shift[k % width]))
    layers.push({ x, z, inverse, h })
    x = h
  }
  const logits = net.times(x, params.out, width, chars)
  for (let i = 0; i < logits.length; i++) logits[i] += params.bias[i % chars]
  return { layers, logits }
}

// Turns the logits into the gradient of the mean loss: (probs - onehot) / B. Returns the loss.
net.loss = (logits, answers) => {
  const { chars } = net
  let loss = 0
  answers.forEach((answer, r) => {
    const row = logits.subarray(r * chars, (r + 1) * chars)
    const top = Math.max(...row)
    const picked = row[answer]
    let total = 0
    for (let c = 0; c < chars; c++) total += row[c] = Math.exp(row[c] - top)
    for (let c = 0; c < chars; c++) row[c] /= total * answers.length
    row[answer] -= 1 / answers.length
    loss += (Math.log(total) + top - picked) / answers.length
  })
  return loss
}

// The loss on a batch, the gradient of each parameter, and of what each layer puts out.
net.gradients = (model, contexts, answers) => {
  const { chars, context, channels, width, depth } = net
  const { settings, params } = model
  const { slope } = net.activations[settings.activation]
  const { layers, logits } = net.forward(model, contexts)
  const loss = net.loss(logits, answers)
  const grads = { out: net.outer(layers[depth - 1].h, logits, width, chars), bias: net.sums(logits, chars) }
  let dx = net.back(logits, params.out, width, chars)
  for (let i = depth; i >= 1; i--) {
    const layer = layers[i - 1]
    const { x, z, inverse, h } = layer
    layer.dh = dx
    const dz = dx.map((v, k) => v * slope(h[k]))
    grads[`shift${i}`] = net.sums(dz, width)
    if (inverse) {
      grads[`scale${i}`] = net.sums(dz, width, z)
      for (let k = 0; k < dz.length; k++) dz[k] *= params[`scale${i}`][k % width]
      net.normalizeBack(dz, z, inverse, width)
    }
    const inner = i === 1 ? context * channels : width
    grads[`W${i}`] = net.outer(x, dz, inner, width)
    dx = net.back(dz, params[`W${i}`], inner, width)
  }
  grads.C = new Float64Array(chars * channels)
  contexts.forEach((id, i) => {
    for (let c = 0; c < channels; c++) grads.C[id * channels + c] += dx[i * channels + c]
  })
  return { loss, grads, layers }
}

// One step of plain gradient descent; returns the loss before it.
net.step = (model, contexts, answers, rate) => {
  const { loss, grads } = net.gradients(model, contexts, answers)
  for (const [name, grad] of Object.entries(grads)) {
    const own = model.params[name]
    for (let i = 0; i < own.length; i++) own[i] -= rate * grad[i]
  }
  return loss
}

// The standard deviation of an array.
net.std = a => {
  const mean = a.reduce((sum, v) => sum + v, 0) / a.length
  return Math.sqrt(a.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (a.length - 1))
}

// Of each hidden layer: the standard deviations of its activations and of their gradients,
// update : data of its matrix for one step on this batch, what is saturated, what is dead.
net.measure = (model, contexts, answers, rate) => {
  const { grads, layers } = net.gradients(model, contexts, answers)
  return layers.map(({ h, dh }, i) => {
    const size = net.std(model.params[`W${i + 1}`])
    return {
      activation: net.std(h),
      gradient: net.std(dh),
      update: size ? (rate * net.std(grads[`W${i + 1}`])) / size : 0,
      saturated: h.reduce((count, v) => count + (Math.abs(v) > 0.97), 0) / h.length,
      dead: net.sums(h.map(Math.abs), net.width).filter(v => v === 0).length,
    }
  })
}
