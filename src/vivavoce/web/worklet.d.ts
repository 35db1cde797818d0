// What an AudioWorkletGlobalScope has, for the type checker; the browser never loads this.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
  constructor(options?: unknown);
}
declare function registerProcessor(name: string, processor: new (options: any) => AudioWorkletProcessor): void;
