// Models in a page: safetensors are read, and the layers named in their header applied.
//
//   const model = await charlm.loadModel("../_static/models", "wavenet")
//   model.probs("em")       27 probabilities: that of the end, then those of the letters
//   model.states("em")      what each layer makes of it
//
// `charlm.makeModel` needs no browser: the build makes models with it, too (hero.py).
//
// Between layers there is `{ rows, values }`: the rows of a matrix, one after the other.

"use strict"

{
  const ARRAYS = { F32: Float32Array, I32: Int32Array, U8: Uint8Array }

  // The tensors and the notes of a file. https://huggingface.co/docs/safetensors
  function readSafetensors(buffer) {
    const length = Number(new DataView(buffer).getBigUint64(0, true))
    const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length))
    const { __metadata__: notes, ...entries } = JSON.parse(text)
    const tensors = {}
    for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(entries)) {
      const [begin, end] = ends.map(offset => 8 + length + offset)
      const values = new ARRAYS[dtype](buffer.slice(begin, end))
      const size = shape.reduce((a, b) => a * b, 1)
      if (values.length !== size) throw new Error(`the tensor ${name} is incomplete`)
      tensors[name] = { shape, values }
    }
    return { tensors, notes }
  }

  // What a layer does. Each operation is given its settings, with tensors for their names.
  const OPERATIONS = {
    // A row of the table for each id: (T) -> (T, C).
    embedding: ({ weight }) => ({ rows, values: ids }) => {
      const width = weight.shape[1]
      const values = new Float64Array(rows * width)
      ids.forEach((id, t) => values.set(weight.values.subarray(id * width, (id + 1) * width), t * width))
      return { rows, values }
    },

    // Each n neighbors as one row, or all: (T, C) -> (T / n, n C). No number moves.
    join: ({ n }) => ({ rows, values }) => ({ rows: n ? rows / n : 1, values }),

    // Each row times the weight (in, out), plus the bias (out).
    linear: ({ weight, bias }) => ({ rows, values: x }) => {
      const [fanIn, fanOut] = weight.shape
      const values = new Float64Array(rows * fanOut)
      for (let row = 0; row < rows; row++) {
        const y = values.subarray(row * fanOut, (row + 1) * fanOut)
        if (bias) y.set(bias.values)
        for (let i = 0; i < fanIn; i++) {
          const xi = x[row * fanIn + i]
          for (let j = 0; j < fanOut; j++) y[j] += xi * weight.values[i * fanOut + j]
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

    tanh: () => ({ rows, values }) => ({ rows, values: values.map(Math.tanh) }),
    relu: () => ({ rows, values }) => ({ rows, values: values.map(x => Math.max(x, 0)) }),

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
    const steps = JSON.parse(notes.layers).map(({ op, ...settings }) => {
      if (!OPERATIONS[op]) throw new Error(`there is no operation ${op}`)
      const known = Object.entries(settings).map(([key, value]) => [key, tensors[value] ?? value])
      return { op, apply: OPERATIONS[op](Object.fromEntries(known), chars.length + 1) }
    })

    // What each layer makes of a text: `{ op, rows, values }`, from the first to the last.
    const states = prefix => {
      const ids = [...prefix].map(char => 1 + chars.indexOf(char))
      if (ids.includes(0)) throw new Error(`the model does not know a letter of ${prefix}`)
      const padded = [...Array(size).fill(0), ...ids]
      let state = { rows: size, values: padded.slice(padded.length - size) }
      return steps.map(({ op, apply }) => ({ op, ...(state = apply(state)) }))
    }

    // softmax(logits / temperature)
    const probs = (prefix, temperature = 1) => {
      const z = states(prefix).at(-1).values
      const top = Math.max(...z)
      const weights = z.map(value => Math.exp((value - top) / temperature))
      const total = weights.reduce((a, b) => a + b)
      return weights.map(weight => weight / total)
    }

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
