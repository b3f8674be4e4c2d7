/** A file of the folder. */
export interface FolderFile {
  /** Within the folder: "videos/a.mp4". */
  path: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

export interface OpenFile extends FolderFile {
  etag: string;
  /** From the byte that was asked for on. Empty when the file is not that long. */
  content: ReadableStream<Uint8Array>;
}

/** The folder for large files, as it lies in the bucket: read without the container. */
export interface Folder {
  /** One page of the files whose path begins with `prefix`, and of the folders in between where `flat` is not wanted. */
  page(
    prefix: string,
    options: { cursor?: string | undefined; flat: boolean },
  ): Promise<{ files: FolderFile[]; folders: string[]; cursor: string | undefined }>;
  /** Undefined when there is no such file. */
  stat(path: string): Promise<(FolderFile & { etag: string }) | undefined>;
  /** Undefined when there is no such file. `length` left out: to the end. Bytes. */
  open(path: string, range: { offset: number; length?: number }): Promise<OpenFile | undefined>;
}
