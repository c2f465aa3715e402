import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { startRouter } from './state/router.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
target.replaceChildren();
startRouter();
mount(App, { target });
