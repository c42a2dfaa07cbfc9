// Models in a page, by their file's header; `charlm.makeModel` needs no browser (hero.py).
// What was made of the last few hundred prefixes is kept. Between layers: `{ rows, values }`.

"use strict"

{
  const ARRAYS = { F16: Uint16Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array }
  const KEPT = 500 // prefixes

  // Half precision: a sign, 5 bits of exponent, 10 of the fraction; all numbers are finite.
  function fromHalf(bits) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023
    const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24
    return bits >> 15 ? -size : size
  }

  // The tensors and the notes of a file. https://huggingface.co/docs/safetensors
  function readSafetensors(buffer) {
    const length = Number(new DataView(buffer).getBigUint64(0, true))
    const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length))
    const { __metadata__: notes, ...entries } = JSON.parse(text)
    const tensors = {}
    for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(entries)) {
      const [begin, end] = ends.map(offset => 8 + length + offset)
      const stored = new ARRAYS[dtype](buffer.slice(begin, end))
      const values = dtype === "F16" ? Float32Array.from(stored, fromHalf) : stored
      const size = shape.reduce((a, b) => a * b, 1)
      if (values.length !== size) throw new Error(`the tensor ${name} is incomplete`)
      tensors[name] = { shape, values }
    }
    return { tensors, notes }
  }

  const sigmoid = x => 1 / (1 + Math.exp(-x))

  // The share of a normal distribution below x, to 1e-7 (Abramowitz and Stegun 1964, 7.1.26).
  function normalBelow(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x) * Math.SQRT1_2)
    const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
    const above = series.reduce((sum, a) => (sum + a) * t, 0) * Math.exp(-x * x / 2) / 2
    return x > 0 ? 1 - above : above
  }
  const nothing = size => ({ rows: 1, values: new Float64Array(size), memory: new Float64Array(size) })

  function dot(a, b, from, to) {
    let sum = 0
    for (let c = from; c < to; c++) sum += a[c] * b[c]
    return sum
  }

  function softmax(z, temperature = 1) {
    const top = Math.max(...z)
    const weights = z.map(value => Math.exp((value - top) / temperature))
    const total = weights.reduce((a, b) => a + b)
    return weights.map(weight => weight / total)
  }

  // What each layer makes of a state, `{ op, rows, values }`, from the first to the last;
  // `before` is what they made of the place before, where places are read one by one.
  const run = (layers, state, before = []) =>
    layers.map(({ op, apply }, i) => ({ op, ...(state = apply(state, before[i])) }))

  // What a layer does. Each operation is given its settings, with tensors for their names.
  const OPERATIONS = {
    embedding: ({ weight }) => ({ rows, values: ids }) => {
      const width = weight.shape[1]
      const values = new Float64Array(rows * width)
      ids.forEach((id, t) => values.set(weight.values.subarray(id * width, (id + 1) * width), t * width))
      return { rows, values }
    },

    // Each n neighbors as one row, or all: (T, C) -> (T / n, n C). No number moves.
    join: ({ n }) => ({ rows, values }) => ({ rows: n ? rows / n : 1, values }),

    linear: ({ weight, bias }) => ({ rows, values: x }) => {
      const [fanIn, fanOut] = weight.shape, w = weight.values
      const values = new Float64Array(rows * fanOut)
      for (let row = 0; row < rows; row++) {
        const y = values.subarray(row * fanOut, (row + 1) * fanOut)
        if (bias) y.set(bias.values)
        for (let i = 0; i < fanIn; i++) {
          const xi = x[row * fanIn + i]
          if (xi === 0) continue // half of what a ReLU leaves
          for (let j = 0, at = i * fanOut; j < fanOut; j++) y[j] += xi * w[at + j]
        }
      }
      return { rows, values }
    },

    // In eval mode: each channel by the statistics that were kept in training.
    batch_norm: ({ weight, bias, mean, var: variance, eps }) => ({ rows, values }) => {
      const width = weight.values.length
      const scale = Float64Array.from(weight.values, (w, c) => w / Math.sqrt(variance.values[c] + eps))
      return { rows, values: values.map((x, i) => (x - mean.values[i % width]) * scale[i % width] + bias.values[i % width]) }
    },

    layer_norm: ({ weight, bias, eps }) => ({ rows, values: x }) => {
      const width = weight.values.length
      const values = new Float64Array(rows * width)
      for (let at = 0; at < values.length; at += width) {
        const row = x.subarray(at, at + width)
        const mean = row.reduce((a, b) => a + b) / width
        const scale = 1 / Math.sqrt(row.reduce((sum, a) => sum + (a - mean) ** 2, 0) / width + eps)
        row.forEach((a, c) => (values[at + c] = (a - mean) * scale * weight.values[c] + bias.values[c]))
      }
      return { rows, values }
    },

    add: ({ layers }) => ({ rows, values }, before) => {
      const inner = run(layers, { rows, values }, before?.inner)
      return { rows, values: values.map((x, i) => x + inner.at(-1).values[i]), inner }
    },

    read: () => state => state,

    // The vector of a place is added: that of the first, of the second, and so on.
    places: ({ weight }) => ({ values }, before) => {
      const place = before ? before.place + 1 : 0
      const own = weight.values.subarray(place * values.length)
      return { rows: 1, values: values.map((x, c) => x + own[c]), place }
    },

    rnn: weights => {
      const hidden = OPERATIONS.linear(weights), size = weights.weight.shape[0]
      return ({ values: x }, before = nothing(size)) =>
        ({ rows: 1, values: hidden(before).values.map((hx, c) => Math.tanh(x[c] + hx)) })
    },

    // Blocks of channels: how much of the past to use, how much to keep, what is new.
    gru: weights => {
      const hidden = OPERATIONS.linear(weights), size = weights.weight.shape[0]
      return ({ values: x }, before = nothing(size)) => {
        const { values: hx } = hidden(before)
        const values = before.values.map((h, c) => {
          const r = sigmoid(x[c] + hx[c]), z = sigmoid(x[c + size] + hx[c + size])
          return (1 - z) * Math.tanh(x[c + 2 * size] + r * hx[c + 2 * size]) + z * h
        })
        return { rows: 1, values }
      }
    },

    // Blocks: what to take in, what of the memory to keep, what is new, what to show.
    lstm: weights => {
      const hidden = OPERATIONS.linear(weights), size = weights.weight.shape[0]
      return ({ values: x }, before = nothing(size)) => {
        const a = hidden(before).values.map((hx, c) => x[c] + hx)
        const memory = before.memory.map((m, c) =>
          sigmoid(a[c + size]) * m + sigmoid(a[c]) * Math.tanh(a[c + 2 * size]))
        return { rows: 1, values: memory.map((m, c) => sigmoid(a[c + 3 * size]) * Math.tanh(m)), memory }
      }
    },

    // Queries, keys and values side by side; each head has its own channels of each.
    // `weights` has what each head looks at: (heads, places).
    attention: ({ heads }) => ({ values: qkv }, before) => {
      const width = qkv.length / 3, size = width / heads
      const [query, key, value] = [0, 1, 2].map(k => qkv.subarray(k * width, (k + 1) * width))
      const keys = [...(before?.keys ?? []), key], read = [...(before?.read ?? []), value]
      const values = new Float64Array(width)
      const weights = Array.from({ length: heads }, (_, head) => {
        const from = head * size, to = from + size
        const own = softmax(Float64Array.from(keys, key => dot(query, key, from, to) / Math.sqrt(size)))
        own.forEach((weight, place) => {
          for (let c = from; c < to; c++) values[c] += weight * read[place][c]
        })
        return own
      })
      return { rows: 1, values, keys, read, weights }
    },

    tanh: () => ({ rows, values }) => ({ rows, values: values.map(Math.tanh) }),
    relu: () => ({ rows, values }) => ({ rows, values: values.map(x => Math.max(x, 0)) }),
    gelu: () => ({ rows, values }) => ({ rows, values: values.map(x => x * normalBelow(x)) }),

    // (count + smoothing) / (sum of counts + smoothing V), as logarithms.
    counts: ({ grams, counts, smoothing }, V) => {
      const order = grams.shape[1]
      const number = ids => ids.reduce((whole, id) => whole * V + id, 0)
      const seen = new Map()
      counts.values.forEach((count, i) => {
        const gram = grams.values.subarray(i * order, (i + 1) * order)
        const context = number(gram.subarray(0, -1))
        if (!seen.has(context)) seen.set(context, new Float64Array(V))
        seen.get(context)[gram[order - 1]] = count
      })
      return ({ values: ids }) => {
        const row = (seen.get(number(ids)) ?? new Float64Array(V)).map(count => count + smoothing)
        const total = row.reduce((a, b) => a + b)
        return { rows: 1, values: row.map(count => Math.log(total ? count / total : 1 / V)) }
      }
    },
  }

  // A model: what it is called, its loss and letters, and its probabilities.
  charlm.makeModel = ({ tensors, notes }) => {
    const chars = JSON.parse(notes.chars)
    const size = JSON.parse(notes.block_size)
    const made = layers => layers.map(({ op, ...settings }) => {
      if (!OPERATIONS[op]) throw new Error(`there is no operation ${op}`)
      const known = ([key, value]) => [key, Array.isArray(value) ? made(value) : tensors[value] ?? value]
      return { op, apply: OPERATIONS[op](Object.fromEntries(Object.entries(settings).map(known)), chars.length + 1) }
    })
    const layers = made(JSON.parse(notes.layers))
    const kept = new Map()

    function read(ids) {
      const key = ids.join()
      if (!kept.has(key)) {
        const before = ids.length > 1 ? read(ids.slice(0, -1)) : []
        if (kept.size >= KEPT) kept.clear()
        kept.set(key, run(layers, { rows: 1, values: ids.slice(-1) }, before))
      }
      return kept.get(key)
    }

    // What each layer makes of a text, or of its last place where places are read one by one.
    const states = prefix => {
      const ids = [...prefix].map(char => 1 + chars.indexOf(char))
      if (ids.includes(0)) throw new Error(`the model does not know a letter of ${prefix}`)
      if (layers[0].op === "read") return read([0, ...ids].slice(-size))
      return run(layers, { rows: size, values: [...Array(size).fill(0), ...ids].slice(-size) })
    }

    const probs = (prefix, temperature = 1) => softmax(states(prefix).at(-1).values, temperature)

    return { label: notes.label, loss: JSON.parse(notes.loss), chars, size, states, probs }
  }

  // A page that was opened from a folder may not read files, but it may run scripts.
  async function readFile(folder, name) {
    if (location.protocol !== "file:") {
      const response = await fetch(`${folder}/${name}.safetensors`, { cache: "no-cache" })
      if (!response.ok) throw new Error(`the server answered ${response.status}`)
      return response.arrayBuffer()
    }
    await new Promise((done, fail) => {
      const missing = () => fail(new Error("its file is missing"))
      const src = `${folder}/${name}.js`
      document.head.append(charlm.element("script", { src, onload: done, onerror: missing }))
    })
    return Uint8Array.from(atob(charlm.models[name]), char => char.charCodeAt(0)).buffer
  }

  charlm.loadModel = async (folder, name) =>
    charlm.makeModel(readSafetensors(await readFile(folder, name)))
}
