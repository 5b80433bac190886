// A field that is as high as its text.
import type { Attachment } from "svelte/attachments";

export const grow = (text: () => string): Attachment<HTMLTextAreaElement> => (field) => {
  const fit = () => {
    // Where the browser does it by itself, it is left to it.
    if (CSS.supports("field-sizing", "content")) return;
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`;
  };
  $effect(() => {
    text();
    fit();
  });
};
