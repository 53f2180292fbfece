// Runs a model that `nullcline compile MODEL --target wgsl --precision f32 -o DIRECTORY` has written, with nothing but
// WebGPU and its manifest. Extrinsic inputs stay 0; random numbers are made on the device.

/** Fetches a manifest with its code and data: `load("jansen_rit.json")`. */
export async function load(url) {
  const manifest = await (await fetch(url)).json();
  const beside = (name) => new URL(name, new URL(url, location.href));
  const code = await (await fetch(beside(manifest.code))).text();
  const data = manifest.data ? await (await fetch(beside(manifest.data))).arrayBuffer() : new ArrayBuffer(0);
  return { manifest, code, data };
}

/** The numbers of a list of a manifest: one for all, an array, or a place in the data. */
function numbers(list, length, data, Type) {
  if (list === undefined) return new Type(length);
  if (typeof list === "object" && !Array.isArray(list)) return new Type(data, list.offset, list.length);
  if (Array.isArray(list)) return Type.from(list, Number);
  return new Type(length).fill(Number(list));
}

export class Simulation {
  /** A device that is large enough, and the model on it. */
  static async create({ manifest, code, data }) {
    if (manifest.precision !== "f32") throw new Error("browsers compute in single precision: use `--precision f32`");
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) throw new Error("this browser has no WebGPU adapter");
    const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = adapter.limits;
    const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage };
    const device = await adapter.requestDevice({ requiredLimits });
    const simulation = new Simulation(device, manifest, data);
    await simulation.compile(code);
    simulation.start();
    return simulation;
  }

  constructor(device, manifest, data) {
    this.device = device;
    this.manifest = manifest;
    this.step = 0;
    this.seed = 0;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = (bytes) => device.createBuffer({ size: Math.max(bytes, 8), usage });
    this.banks = manifest.banks.map((bank) => buffer(4 * bank.length));
    this.places = [];
    manifest.banks.forEach((bank, index) => {
      for (const [held, offset] of bank.buffers) this.places[held] = { bank: index, offset };
    });
    manifest.buffers.forEach((held, index) => {
      const { bank, offset } = this.places[index];
      // Every slot of a ring starts from the same values.
      const values = numbers(held.initial, held.length, data, Float32Array);
      for (let slot = 0; slot < held.slots; slot++) {
        device.queue.writeBuffer(this.banks[bank], 4 * (offset + slot * held.length), values);
      }
    });
    this.constants = manifest.constants.map((constant) => {
      const values = numbers(constant.values, 0, data, constant.format === "u32" ? Uint32Array : Float32Array);
      const made = buffer(values.byteLength);
      device.queue.writeBuffer(made, 0, values);
      return made;
    });
    // One row of samples: the time, where the model reads it, then the columns of the inputs.
    this.samples = buffer(4 * manifest.samples.length);
    // Where recorded events are marked; this host does not look at it.
    this.marks = buffer(manifest.marks ? 4 * manifest.marks.rows * manifest.marks.words : 0);
    // The device wants blocks of uniforms to begin at multiples of this.
    this.stride = device.limits.minUniformBufferOffsetAlignment;
    this.uniforms = device.createBuffer({ size: this.stride, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  }

  /** Compiles the entries, each with the bindings that the manifest lists and the uniforms at binding 0. */
  async compile(code) {
    const { device, manifest } = this;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const { messages } = await module.getCompilationInfo();
    const errors = messages.filter((m) => m.type === "error");
    if (errors.length > 0) throw new Error(errors.map((m) => `line ${m.lineNum}: ${m.message}`).join("\n"));
    this.entries = manifest.entries.map((entry) => {
      const visibility = GPUShaderStage.COMPUTE;
      const layouts = [{ binding: 0, visibility, buffer: { type: "uniform" } }];
      const resources = [{ binding: 0, resource: { buffer: this.uniforms } }];
      for (const bound of entry.bindings) {
        const type = bound.access === undefined ? "read-only-storage" : "storage";
        const buffer =
          bound.bank !== undefined ? this.banks[bound.bank]
          : bound.constant !== undefined ? this.constants[bound.constant]
          : bound.marks ? this.marks
          : this.samples;
        layouts.push({ binding: bound.slot, visibility, buffer: { type } });
        resources.push({ binding: bound.slot, resource: { buffer } });
      }
      const layout = device.createBindGroupLayout({ entries: layouts });
      const groups = Math.ceil(entry.extent / entry.group);
      const width = Math.min(Math.max(groups, 1), device.limits.maxComputeWorkgroupsPerDimension);
      return {
        pipeline: device.createComputePipeline({
          layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module, entryPoint: entry.name },
        }),
        bindings: device.createBindGroup({ layout, entries: resources }),
        size: [width, Math.ceil(groups / width)],
      };
    });
    const error = await device.popErrorScope();
    if (error) throw new Error(error.message);
  }

  /** Launches entries for a step. */
  launch(entries, step, { count = 1, dt = this.manifest.dt } = {}) {
    const block = new DataView(new ArrayBuffer(this.stride));
    const values = { step, count, row: 0, seed_low: this.seed, seed_high: 0, zero: 0 };
    for (const { quantity, offset } of this.manifest.uniforms) {
      if (quantity === "step_size") block.setFloat32(offset, dt, true);
      else block.setUint32(offset, values[quantity], true);
    }
    this.device.queue.writeBuffer(this.uniforms, 0, block.buffer);
    const row = this.manifest.samples.map((sample) => (sample === "time" ? step * dt : 0));
    if (row.length > 0) this.device.queue.writeBuffer(this.samples, 0, Float32Array.from(row));
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const index of entries) {
      const { pipeline, bindings, size } = this.entries[index];
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...size);
    }
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  /** What is computed once, and the past before the first step. */
  start() {
    const { phases, feed, buffers, history_passes, pre_history } = this.manifest;
    this.launch(phases.setup, 0);
    if (pre_history === "zero") return;
    const slots = Math.max(0, ...buffers.filter((b) => b.role === "history").map((b) => b.slots));
    for (let pass = 0; pass < history_passes; pass++) {
      for (let slot = 0; slot < slots; slot++) this.launch([...feed, ...phases.remember], slot, { dt: 0 });
    }
  }

  /** Goes `count` steps ahead. */
  advance(count) {
    const { phases, feed, steps, samples } = this.manifest;
    // An entry that runs many steps reads a row of samples for each; this host has one row.
    if (steps !== null && samples.length === 0) {
      this.launch([steps], this.step, { count });
      this.step += count;
      return;
    }
    for (const end = this.step + count; this.step < end; this.step++) {
      this.launch([...feed, ...phases.step], this.step);
    }
  }

  /** The recorded columns at this moment. */
  async observe() {
    const { phases, feed, columns, buffers } = this.manifest;
    this.launch([...feed, ...phases.observe], this.step);
    const sizes = this.banks.map((bank) => bank.size);
    const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
    const size = sizes.reduce((sum, size) => sum + size, 0);
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const encoder = this.device.createCommandEncoder();
    this.banks.forEach((bank, i) => encoder.copyBufferToBuffer(bank, 0, staging, offsets[i], sizes[i]));
    this.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return columns.map(({ buffer, element }) => {
      const { bank, offset } = this.places[buffer];
      return values[offsets[bank] / 4 + offset + (buffers[buffer].length === 1 ? 0 : element)];
    });
  }
}
